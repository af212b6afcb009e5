#include "Files.h"

// A file of www becomes bytes of the image; the build notices when it changes.
static const unsigned char index_html[] = {
#embed "www/index.html"
};
static const unsigned char style_css[] = {
#embed "www/style.css"
};
static const unsigned char count_js[] = {
#embed "www/count.js"
};
static const unsigned char brick_svg[] = {
#embed "www/brick.svg"
};

static const struct web_file files[] = {
    {"/", "text/html; charset=utf-8", index_html, sizeof index_html},
    {"/index.html", "text/html; charset=utf-8", index_html, sizeof index_html},
    {"/style.css", "text/css", style_css, sizeof style_css},
    {"/count.js", "text/javascript", count_js, sizeof count_js},
    {"/brick.svg", "image/svg+xml", brick_svg, sizeof brick_svg},
};

int web_file_count(void) { return sizeof files / sizeof files[0]; }
struct web_file web_file_at(int index) { return files[index]; }
