package attackdetectionprocessor

import "time"

// remember is how long a service's last request log keeps its spans from being
// judged too.
const remember = time.Minute

// doubles knows which services report their requests as logs, at most limit of
// them.
type doubles struct {
	limit   int
	last    map[string]*logged
	current *logged // of the last record: most come in runs
}

type logged struct {
	service string
	at      time.Time // wall
	fresh   bool      // since the last tick
}

// saw notes a request log of service.
func (d *doubles) saw(service []byte, wall time.Time) {
	if d.current == nil || d.current.service != string(service) {
		d.current = d.of(service, wall)
	}
	if d.current != nil {
		d.current.at, d.current.fresh = wall, true
	}
}

// touch notes a span of a service that has logs too.
func (d *doubles) touch(service []byte) {
	if l := d.last[string(service)]; l != nil {
		l.fresh = true
	}
}

// quiet says whether service is known by its logs and had no request since this
// was last asked.
func (d *doubles) quiet(service string) bool {
	l := d.last[service]
	if l == nil {
		return false
	}
	fresh := l.fresh
	l.fresh = false
	return !fresh
}

// of finds a service's entry or makes one; nil if there are too many.
func (d *doubles) of(service []byte, wall time.Time) *logged {
	if l := d.last[string(service)]; l != nil {
		return l
	}
	if len(d.last) >= d.limit {
		for name, l := range d.last {
			if wall.Sub(l.at) > remember {
				delete(d.last, name)
			}
		}
	}
	if len(d.last) >= d.limit {
		return nil
	}
	if d.last == nil {
		d.last = make(map[string]*logged)
	}
	l := &logged{service: string(service)}
	d.last[l.service] = l
	return l
}

// lately says whether service reported a request log in the last minute.
func (d *doubles) lately(service []byte, wall time.Time) bool {
	l := d.last[string(service)]
	return l != nil && wall.Sub(l.at) <= remember
}
