// A host that treats a Go output plugin as Fluent Bit does: src/flb_plugin_proxy.c
// and src/proxy/go/go.c are what it follows. Used by plugin_test.go:
//
//	host out_vigie.so THREADS { -i key=value… } { -c INSTANCE TAG FILE }
//
// It opens an instance for each -i, brings each chunk until it is not to come
// again, by so many threads at once, and prints what it was told.
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { FLB_ERROR, FLB_OK, FLB_RETRY };

struct def { int type, proxy, flags; char *name, *description; void *later[8]; };
struct context { void *remote_context; void *proxy; };
struct instance { char **properties; int count; struct context *context; };
struct api { char *(*output_get_property)(char *, struct instance *); void *later[7]; };
struct plugin { char *name; struct api *api; struct instance *o_ins; struct context *context; void *callbacks[5]; };
struct chunk { int instance; char *tag; char *data; size_t size; int verdict, tries; };

static char *get_property(char *key, struct instance *of)
{
	size_t n = strlen(key);
	for (int i = 0; i < of->count; i++)
		if (!strncasecmp(of->properties[i], key, n) && of->properties[i][n] == '=')
			return of->properties[i] + n + 1;
	return NULL;
}

static struct instance instances[16];
static struct chunk chunks[4096];
static int chunk_count, next_chunk;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int (*flush)(void *, const void *, size_t, char *);

static void *work(void *unused)
{
	(void)unused;
	for (;;) {
		pthread_mutex_lock(&lock);
		struct chunk *c = next_chunk < chunk_count ? &chunks[next_chunk++] : NULL;
		pthread_mutex_unlock(&lock);
		if (!c)
			return NULL;
		for (c->tries = 1;; c->tries++) {
			// Its own copies: Fluent Bit frees both as soon as the call is over.
			char *data = malloc(c->size ? c->size : 1), *tag = strdup(c->tag);
			memcpy(data, c->data, c->size);
			c->verdict = flush(instances[c->instance].context->remote_context, data, c->size, tag);
			memset(data, 0xc1, c->size);
			free(data);
			free(tag);
			if (c->verdict != FLB_RETRY || c->tries == 20)
				break;
			usleep(20000);
		}
	}
}

static void *symbol(void *so, const char *name)
{
	void *s = dlsym(so, name);
	if (!s) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
	return s;
}

static void load(struct chunk *c, const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		perror(path);
		exit(2);
	}
	fseek(f, 0, SEEK_END);
	c->size = (size_t)ftell(f);
	rewind(f);
	c->data = malloc(c->size + 1);
	if (fread(c->data, 1, c->size, f) != c->size)
		exit(2);
	fclose(f);
}

int main(int argc, char **argv)
{
	void *so = dlopen(argv[1], RTLD_LAZY);
	if (!so) {
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
	struct def def = {0};
	int (*reg)(struct def *) = (int (*)(struct def *))symbol(so, "FLBPluginRegister");
	int (*init)(struct plugin *) = (int (*)(struct plugin *))symbol(so, "FLBPluginInit");
	int (*exit_ctx)(void *) = (int (*)(void *))symbol(so, "FLBPluginExitCtx");
	int (*exit_all)(void) = (int (*)(void))symbol(so, "FLBPluginExit");
	void (*unregister)(struct def *) = (void (*)(struct def *))symbol(so, "FLBPluginUnregister");
	flush = (int (*)(void *, const void *, size_t, char *))symbol(so, "FLBPluginFlushCtx");

	if (reg(&def) == -1)
		return 3;
	printf("registered %s type %d proxy %d\n", def.name, def.type, def.proxy);

	struct api api = {.output_get_property = get_property};
	int threads = atoi(argv[2]), count = 0, at = 3;
	while (at < argc && !strcmp(argv[at], "-i")) {
		struct instance *i = &instances[count];
		i->properties = &argv[++at];
		for (; at < argc && argv[at][0] != '-'; at++)
			i->count++;
		i->context = calloc(1, sizeof *i->context);
		struct plugin p = {def.name, &api, i, i->context, {0}};
		int verdict = init(&p);
		printf("init %d: %d\n", count++, verdict);
		if (verdict <= 0)
			return 4;
	}
	for (; at + 3 < argc && !strcmp(argv[at], "-c"); at += 4) {
		struct chunk *c = &chunks[chunk_count++];
		c->instance = atoi(argv[at + 1]);
		c->tag = argv[at + 2];
		load(c, argv[at + 3]);
	}
	pthread_t ids[16];
	for (int i = 0; i < threads; i++)
		pthread_create(&ids[i], NULL, work, NULL);
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	for (int i = 0; i < chunk_count; i++)
		printf("chunk %d: %d after %d\n", i, chunks[i].verdict, chunks[i].tries);
	// The newer way for each instance but the last, the older for what is left.
	for (int i = 0; i < count - 1; i++)
		printf("exit %d: %d\n", i, exit_ctx(instances[i].context->remote_context));
	printf("exit: %d\n", exit_all());
	unregister(&def);
	dlclose(so);
	return 0;
}
