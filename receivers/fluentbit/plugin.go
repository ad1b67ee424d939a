package main

// #include "abi.h"
import "C"

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/vigie-otel/vigie/receivers/fluentbit/internal/output"
)

// Open instances by the number that Fluent Bit keeps for us. The ABI's functions
// have no receiver that could hold them.
var (
	instances sync.Map      //nolint:gochecknoglobals // see above
	last      atomic.Uint64 //nolint:gochecknoglobals // see above
)

// FLBPluginRegister says what this is, once.
//
//export FLBPluginRegister
func FLBPluginRegister(def *C.struct_flb_plugin_proxy_def) C.int {
	def._type = C.FLB_PROXY_OUTPUT_PLUGIN
	def.proxy = C.FLB_PROXY_GOLANG
	def.flags = 0
	def.name = C.CString("vigie")
	def.description = C.CString("OTLP logs over gRPC, to Vigie")
	return 0
}

// FLBPluginUnregister gives back what FLBPluginRegister took.
//
//export FLBPluginUnregister
func FLBPluginUnregister(def *C.struct_flb_plugin_proxy_def) {
	C.free(unsafe.Pointer(def.name))
	C.free(unsafe.Pointer(def.description))
	def.name, def.description = nil, nil
}

// FLBPluginInit opens an [OUTPUT] section.
//
//export FLBPluginInit
func FLBPluginInit(plugin *C.struct_flbgo_output_plugin) (verdict C.int) {
	defer survive(&verdict)
	config, err := output.Read(func(key string) string {
		k := C.CString(key)
		defer C.free(unsafe.Pointer(k))
		return C.GoString(C.vigie_property(plugin, k))
	})
	if err != nil {
		fmt.Fprintf(os.Stderr, "[vigie] configuration: %v\n", err)
		return C.FLB_ERROR
	}
	instance, err := output.Open(config, os.Stderr)
	if err != nil {
		fmt.Fprintf(os.Stderr, "[vigie] %s: %v\n", config.Endpoint, err)
		return C.FLB_ERROR
	}
	id := last.Add(1)
	instances.Store(id, instance)
	C.vigie_set_context(plugin, C.uintptr_t(id))
	return C.FLB_OK
}

// FLBPluginFlushCtx sends a chunk of the instance that ctx numbers.
//
//export FLBPluginFlushCtx
func FLBPluginFlushCtx(ctx C.uintptr_t, data unsafe.Pointer, length C.size_t, tag *C.char) (verdict C.int) {
	defer survive(&verdict)
	instance, ok := instances.Load(uint64(ctx))
	if !ok || length > 1<<30 {
		return C.FLB_ERROR
	}
	chunk := C.GoStringN((*C.char)(data), C.int(length))
	return C.int(instance.(*output.Instance).Flush(context.Background(), chunk, C.GoString(tag)))
}

// FLBPluginExitCtx closes the instance that ctx numbers.
//
//export FLBPluginExitCtx
func FLBPluginExitCtx(ctx C.uintptr_t) (verdict C.int) {
	defer survive(&verdict)
	if instance, ok := instances.LoadAndDelete(uint64(ctx)); ok {
		_ = instance.(*output.Instance).Close()
	}
	return C.FLB_OK
}

// FLBPluginExit closes all: versions of Fluent Bit that know no FLBPluginExitCtx
// call it.
//
//export FLBPluginExit
func FLBPluginExit() C.int {
	instances.Range(func(id, _ any) bool {
		FLBPluginExitCtx(C.uintptr_t(id.(uint64)))
		return true
	})
	return C.FLB_OK
}

// survive makes a panic the failure of one call.
func survive(verdict *C.int) {
	if p := recover(); p != nil {
		fmt.Fprintf(os.Stderr, "[vigie] a fault of the plugin, please report it: %v\n%s", p, debug.Stack())
		*verdict = C.FLB_ERROR
	}
}

func main() {}
