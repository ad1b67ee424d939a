// What of Fluent Bit's plugin ABI an output in Go meets. The names are Fluent Bit's
// (include/fluent-bit/flb_plugin_proxy.h, flb_api.h, src/proxy/go/go.h); structures
// end where what is used of them ends.
#ifndef VIGIE_FLUENTBIT_ABI_H
#define VIGIE_FLUENTBIT_ABI_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum { FLB_ERROR = 0, FLB_OK = 1, FLB_RETRY = 2 };
enum { FLB_PROXY_OUTPUT_PLUGIN = 2, FLB_PROXY_GOLANG = 11 };

// Filled in by FLBPluginRegister.
struct flb_plugin_proxy_def {
	int type;
	int proxy;
	int flags;
	char *name;
	char *description;
};

struct flb_api {
	char *(*output_get_property)(char *key, void *instance);
};

struct flb_plugin_proxy_context {
	void *remote_context; // ours: comes back with each chunk
};

// Handed to FLBPluginInit.
struct flbgo_output_plugin {
	char *name;
	struct flb_api *api;
	void *o_ins;
	struct flb_plugin_proxy_context *context;
};

static inline char *vigie_property(struct flbgo_output_plugin *p, char *key)
{
	return p->api->output_get_property(key, p->o_ins);
}

// A number, though it travels as a pointer: Go must not take it for one.
static inline void vigie_set_context(struct flbgo_output_plugin *p, uintptr_t id)
{
	p->context->remote_context = (void *)id;
}

#endif
