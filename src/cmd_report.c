/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "graphs.h"
#include "records.h"

#define MAX_POINTS 256
#define BINS 60

/* One curve: a list of names of variants becomes points (sparsity, accuracy), in percent. */
static int add_curve(const struct records *records, prune_report *page, const json_t *curve)
{
    double xy[2 * MAX_POINTS];
    int32_t points = 0;
    const char *name;
    json_t *variants, *item;
    size_t i;
    int code = records_string(records, curve, "name", &name);
    if (!code)
        code = records_array(records, curve, "variants", &variants);
    if (code)
        return code;
    json_array_foreach(variants, i, item)
    {
        const char *text = json_string_value(item);
        const json_t *variant = records_variant(records, text ? text : "(not a text)");
        const json_t *measured = variant ? records_measured(records, variant) : NULL;
        if (!measured)
            return BAD_INPUT;
        double all = record_number(measured, "weights", 0), kept = record_number(measured, "weights_kept", 0);
        if (points == MAX_POINTS || all <= 0)
            return complain(BAD_INPUT, "%s: curve %s has a point without weights, or more than %d points",
                            records->path, name, MAX_POINTS);
        xy[2 * points] = 100 * (1 - kept / all);
        xy[2 * points++ + 1] = 100 * record_number(measured, "accuracy", 0);
    }
    int32_t status = prune_report_line(page, name, xy, points);
    return status ? complain_status(status, name) : DONE;
}

static int add_charts(const struct records *records, prune_report *page)
{
    json_t *chart, *curves, *curve;
    size_t i, j;
    json_array_foreach(json_object_get(records->root, "charts"), i, chart)
    {
        const char *caption;
        int code = records_string(records, chart, "caption", &caption);
        if (!code)
            code = records_array(records, chart, "curves", &curves);
        if (code)
            return code;
        int32_t status = prune_report_chart(page, caption, "weights pruned (%)", "test accuracy (%)");
        if (status)
            return complain_status(status, NULL);
        json_array_foreach(curves, j, curve)
        {
            code = add_curve(records, page, curve);
            if (code)
                return code;
        }
    }
    return DONE;
}

/* The picture of one parameter of a network: "histogram" (of the kept weights) or "mask". */
static int add_picture(const struct records *records, prune_report *page, const json_t *picture, const char *kind)
{
    const char *caption, *file, *parameter;
    if (records_string(records, picture, "caption", &caption) || records_string(records, picture, "file", &file) ||
        records_string(records, picture, "parameter", &parameter))
        return BAD_INPUT;
    char *path = records_file(records, file);
    if (!path)
        return NO_MEMORY;
    prune_network *network = NULL;
    int code = network_read(&network, NULL, path);
    if (!code) {
        const prune_tensor *weights = prune_network_parameter(network, parameter);
        const prune_mask *mask = prune_network_mask(network, parameter);
        int32_t status = PRUNE_OK;
        if (!weights || (!mask && strcmp(kind, "mask") == 0))
            code = complain(BAD_INPUT, "%s: %s has no dense %s%s", records->path, path, parameter,
                            weights ? " with a mask" : "");
        else if (strcmp(kind, "mask") == 0)
            status = prune_report_mask(page, caption, mask);
        else
            status = prune_report_histogram(page, caption, weights, mask, BINS, record_number(picture, "limit", 0));
        if (status)
            code = complain_status(status, caption);
    }
    prune_network_free(network);
    free(path);
    return code;
}

static int add_pictures(const struct records *records, prune_report *page)
{
    json_t *picture;
    size_t i;
    int code = DONE;
    if (json_object_get(records->root, "histograms"))
        code = prune_report_heading(page, "Weights") ? complain_status(PRUNE_E_NOMEM, NULL) : DONE;
    json_array_foreach(json_object_get(records->root, "histograms"), i, picture)
    {
        if (!code)
            code = add_picture(records, page, picture, "histogram");
    }
    json_array_foreach(json_object_get(records->root, "masks"), i, picture)
    {
        if (!code)
            code = add_picture(records, page, picture, "mask");
    }
    return code;
}

static int add_table(const struct records *records, prune_report *page, const struct table *table)
{
    int32_t status = prune_report_heading(page, "What it costs and what it gains");
    if (!status)
        status = prune_report_table(page, "All variants; the times are for one image on one thread",
                                    table->count / table->columns, table->columns, (const char *const *)table->cells);
    return status ? complain_status(status, records->path) : DONE;
}

static int add_texts(const struct records *records, prune_report *page)
{
    json_t *text;
    size_t i;
    json_array_foreach(json_object_get(records->root, "texts"), i, text)
    {
        if (!json_is_string(text))
            return complain(BAD_INPUT, "%s: an entry of texts is not a text", records->path);
        int32_t status = prune_report_text(page, json_string_value(text));
        if (status)
            return complain_status(status, records->path);
    }
    return DONE;
}

static int write_page(const struct records *records, const struct table *table, const char *sentence, const char *path)
{
    const char *title;
    prune_report *page = NULL;
    int code = records_string(records, records->root, "title", &title);
    if (code)
        return code;
    int32_t status = prune_report_create(&page, NULL, title);
    code = status ? complain_status(status, NULL) : add_texts(records, page);
    if (!code)
        code = add_charts(records, page);
    if (!code)
        code = add_pictures(records, page);
    if (!code)
        code = add_table(records, page, table);
    if (!code && *sentence) {
        status = prune_report_text(page, sentence);
        code = status ? complain_status(status, NULL) : DONE;
    }
    if (!code) {
        write_begin();
        status = prune_report_write(page, path);
        write_end();
        code = status ? complain_status(status, NULL) : DONE;
    }
    prune_report_free(page);
    return code;
}

static int show_json(const struct table *table, const char *sentence)
{
    json_t *rows = json_array();
    for (int i = table->columns; i < table->count; i++) {
        if (i % table->columns == 0)
            json_array_append_new(rows, json_object());
        /* Two columns may have the same head; the one before tells them apart. */
        char key[256];
        int column = i % table->columns;
        int repeated = strcmp(table->cells[column], "to dense") == 0;
        snprintf(key, sizeof key, "%s%s%s", repeated ? table->cells[column - 1] : "", repeated ? ", " : "",
                 table->cells[column]);
        json_object_set_new(json_array_get(rows, json_array_size(rows) - 1), key, json_text(table->cells[i]));
    }
    return print_json(json_pack("{s:o, s:o}", "rows", rows, "closing", json_text(sentence)), "report");
}

static int work(const char *path, const char *out, int json)
{
    struct records records;
    struct table table = {.cells = NULL};
    char sentence[SENTENCE_SIZE];
    int code = records_read(&records, path);
    if (!code)
        code = records_table(&records, &table);
    if (!code)
        code = records_closing(&records, sentence);
    if (!code && out)
        code = write_page(&records, &table, sentence, out);
    if (!code && json) {
        code = show_json(&table, sentence);
    } else if (!code && out) {
        printf("%s: written\n%s%s", out, sentence, *sentence ? "\n" : "");
    } else if (!code) {
        table_print(&table, stdout);
        printf("%s%s", sentence, *sentence ? "\n" : "");
    }
    table_free(&table);
    records_free(&records);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    if (graph_is_named(argc, argv))
        return graph_report(self, argc, argv);
    struct options options = {.count = 0};
    const char *out = NULL;
    int json = 0;
    options_add(&options, (struct option[]){
                              {OPTION_TEXT, "output", 'o', &out, "PAGE.html",
                               "write the page instead of printing the table", 0, 0},
                              {OPTION_FLAG, "json", 0, &json, NULL, "print one JSON document instead of text", 0, 0},
                              {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                          });
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help) {
        code = options_operands(&options, self, 1, 1, "one file of records");
        if (!code)
            code = work(options.operands.items[0], out, json);
    }
    options_free(&options);
    return code;
}

const struct command cmd_report = {
    "report",
    "a model, or records of measurements, as an HTML page",
    "RECORDS.json [-o PAGE.html] [--json]\n"
    "MODEL.onnx [--inputs X.npy... --labels Y.npy] [--recover SPEC]... -o PAGE.html",
    "Reads what examples/demo.sh collects from `prune eval --json`: which files are which variant, and\n"
    "which curves, histograms and masks to draw. prune(1) describes the records.\n"
    "Of an ONNX model the page shows how dense each layer is, histograms of the weights and, with samples and labels,\n"
    "the accuracy over sparsity; `prune report MODEL.onnx --help` has the options.",
    run,
};
