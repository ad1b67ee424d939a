// Package shared lets the pipelines of one component ID use one instance.
//
// The collector makes a component per signal and pipeline; a processor that
// sees logs and traces, or an exporter behind three pipelines, often has to be
// one thing all the same. A Registry belongs to a factory. It builds an instance
// at the first Face of a key and hands the same one to each further face; a face
// is what the collector starts and shuts down.
//
// The instance is started once, with the first face that starts, and shut down
// once, by the last face that goes, whether or not it ever started. Until then
// other faces may still deliver. A start that fails is told to the face that
// asked, and the next face tries again. After the last face a key begins a new
// life with a new instance.
//
// The package owns no goroutine. Contrib's sharedcomponent lost: it stops with
// the first pipeline that shuts down, so that what one pipeline found could no
// longer leave in another.
package shared
