#ifndef FILES_H
#define FILES_H
// One file of the site, as it is in the image.
struct web_file {
    const char *path;
    const char *type;
    const unsigned char *bytes;
    unsigned long byte_count;
};
int web_file_count(void);
// The index is at least 0 and below the count.
struct web_file web_file_at(int index);
#endif
