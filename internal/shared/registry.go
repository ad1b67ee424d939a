package shared

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
)

// Registry knows the living instances of one factory by key: the component's ID,
// or whatever else tells two instances apart. The zero value is ready.
type Registry[K comparable, T component.Component] struct {
	mu    sync.Mutex
	lives map[K]*life[T] // guarded by mu; each has at least one face
}

// life is one instance from its first face to its last.
type life[T component.Component] struct {
	instance T
	faces    int // that have not shut down; guarded by the registry's mu

	// mu is held while the instance starts, so that a second face does not
	// deliver into one that is half open. After the registry's mu, never before.
	mu      sync.Mutex
	started bool // guarded by mu
}

// Face joins the instance of a key, which build makes if there is none. An error
// is build's own; nothing is kept then.
func (r *Registry[K, T]) Face(key K, build func() (T, error)) (*Face[T], error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.lives[key]
	if l == nil {
		instance, err := build()
		if err != nil {
			return nil, err
		}
		l = &life[T]{instance: instance}
		if r.lives == nil {
			r.lives = map[K]*life[T]{}
		}
		r.lives[key] = l
	}
	l.faces++
	return &Face[T]{Instance: l.instance, life: l, leave: func() bool { return r.leave(key, l) }}, nil
}

// leave takes a face off l and says whether it was the last. The key is free
// from then on, even while the instance still shuts down.
func (r *Registry[K, T]) leave(key K, l *life[T]) (last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.faces--
	if l.faces > 0 {
		return false
	}
	delete(r.lives, key)
	return true
}

// Face is one pipeline's side of an instance, and a component itself.
type Face[T component.Component] struct {
	// Instance is what all faces of the key share.
	Instance T

	life  *life[T]
	leave func() (last bool)

	mu    sync.Mutex
	ended bool // guarded by mu; before life.mu
}

var errEnded = errors.New("started after its shutdown")

// Start starts the instance, unless another face has. An error is the
// instance's; the next Start of any face tries again.
func (f *Face[T]) Start(ctx context.Context, host component.Host) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return fmt.Errorf("start shared component: %w", errEnded)
	}
	f.life.mu.Lock()
	defer f.life.mu.Unlock()
	if f.life.started {
		return nil
	}
	if err := f.life.instance.Start(ctx, host); err != nil {
		return err
	}
	f.life.started = true
	return nil
}

// Shutdown shuts the instance down when this is its last face. It is safe
// before Start, and the second does nothing.
func (f *Face[T]) Shutdown(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return nil
	}
	f.ended = true
	if !f.leave() {
		return nil
	}
	return f.life.instance.Shutdown(ctx)
}
