/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Gives a fuzz target the files named, or those of its corpus: a target that is called fuzz_NAME has
 * tests/fuzz/corpus/NAME. What is wrong ends the program.
 */
#include <dirent.h>

#include "fuzz.h"

static int replay(const char *path)
{
    static uint8_t bytes[1 << 20];
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    uint8_t *exact = malloc(size + !size); /* so that a sanitizer sees a byte too many */
    fuzz_require(exact != NULL, "no memory");
    memcpy(exact, bytes, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 1;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/'), *own = slash ? slash + 1 : argv[0];
    const char *name = strncmp(own, "fuzz_", 5) == 0 ? own + 5 : own;
    char folder[200], path[600];
    int count = 0;
    for (int i = 1; i < argc; i++)
        count += replay(argv[i]);
    snprintf(folder, sizeof folder, "tests/fuzz/corpus/%s", name);
    DIR *list = argc < 2 ? opendir(folder) : NULL;
    for (struct dirent *entry; list && (entry = readdir(list));) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        count += entry->d_name[0] != '.' && replay(path);
    }
    if (list)
        closedir(list);
    if (count > 0)
        printf("ok %s: %d files replayed\n", name, count);
    else
        printf("FAIL: %s: no file to replay in %s\n", name, folder);
    return count == 0;
}
