/* The library in a host that knows nothing of Swift: dlopen, one call, dlclose. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>

int main(int argument_count, char **arguments) {
  void *library = argument_count > 1 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  uint32_t (*version)(void);
  if (library == NULL) {
    printf("dlopen: %s\n", dlerror());
    return 1;
  }
  *(void **)&version = dlsym(library, "chroma_abi_version");
  if (version == NULL || version() != 1) return 1;
  return dlclose(library);
}
