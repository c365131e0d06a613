/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "model/report/report.h"

/* Colours of lines are Okabe and Ito's, darkened or lightened until each has a contrast of 3 to its page. No "<" or
 * "&", so that what has them stays well-formed. */
static const char colours[] =
    ":root{--page:#fff;--ink:#1c2024;--soft:#59626b;--rule:#c9d0d6;--grid:#e4e8eb;--band:#f4f6f7;--paper:#fff;"
    "--c0:#0072b2;--c1:#c85200;--c2:#00805c;--c3:#a8457f;--c4:#8a6d00;--c5:#333a40;color-scheme:light dark}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--page:#15181b;--ink:#e4e7ea;--soft:#a3adb5;--rule:#454d54;"
    "--grid:#2a3035;--band:#1d2125;--paper:#d3d8dc;--c0:#56b4e9;--c1:#ff8f40;--c2:#2cc79a;--c3:#e697c4;--c4:#e6c229;"
    "--c5:#cfd5da}}\n";

/* Of lines and axes, on a page and in a drawing of its own. */
static const char drawing[] =
    ".grid{stroke:var(--grid);fill:none}\n"
    ".axis{stroke:var(--soft);fill:none}\n"
    ".ticks{fill:var(--soft);font-variant-numeric:tabular-nums}\n"
    ".end{text-anchor:end}\n"
    ".middle{text-anchor:middle}\n"
    ".line{stroke:currentColor}\n"
    ".stroke{fill:none;stroke-width:2px}\n"
    ".marker{fill:none;stroke-width:2px}\n"
    ".c0{color:var(--c0)}.c1{color:var(--c1)}.c2{color:var(--c2)}.c3{color:var(--c3)}.c4{color:var(--c4)}"
    ".c5{color:var(--c5)}\n";

const char *const pm_report_style[] = {
    colours,
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,"
    "\"Liberation Sans\",\"DejaVu Sans\",sans-serif;overflow-wrap:anywhere}\n"
    "main{max-width:64rem;margin:0 auto;padding:1rem}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0 1rem}\n"
    "h2{font-size:1.25rem;line-height:1.3;margin:2rem 0 .5rem;break-after:avoid}\n"
    "p{margin:.5rem 0;max-width:44rem}\n",
    "figure{margin:1.25rem 0;break-inside:avoid}\n"
    "figcaption,caption{font-weight:600;text-align:left;margin:0 0 .5rem}\n"
    ".note{margin:.25rem 0 0;color:var(--soft);font-size:.875rem}\n"
    "svg{display:block;width:100%;height:auto;fill:currentColor;font-size:120px;overflow:visible}\n"
    ".chart svg,.chart .legend{max-width:40rem}\n"
    "path{vector-effect:non-scaling-stroke}\n",
    drawing,
    ".bars{fill:var(--c0)}\n"
    ".legend{list-style:none;margin:.25rem 0 0;padding:0;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;"
    "font-size:.9rem}\n"
    ".legend li{display:flex;align-items:center;gap:.5rem}\n"
    ".legend .key{flex:none;width:3rem}\n",
    ".row{display:flex;flex-wrap:wrap;gap:0 1.5rem}\n"
    ".histogram{flex:1 1 12rem;max-width:24rem}\n"
    ".histogram svg{font-size:90px}\n"
    ".mask img{display:block;max-width:100%;height:auto;background:var(--paper);outline:1px solid var(--rule)}\n"
    ".pixels{image-rendering:pixelated}\n"
    /* A shade at the side where more can be scrolled to: page-coloured covers move with the content, shades do not. */
    ".scroll{overflow-x:auto;margin:1.25rem 0;background:linear-gradient(90deg,var(--page) 1rem,transparent 2rem) "
    "local,"
    "linear-gradient(270deg,var(--page) 1rem,transparent 2rem) 100% 0/2rem 100% no-repeat local,"
    "linear-gradient(270deg,var(--rule),transparent) 100% 0/.5rem 100% no-repeat scroll}\n"
    "table{border-collapse:separate;border-spacing:0;font-size:14px;font-variant-numeric:tabular-nums;overflow-wrap:"
    "normal}\n"
    "caption span{position:sticky;left:0;display:block;max-width:calc(100vw - 2rem)}\n"
    "th,td{padding:5px 10px;text-align:right;vertical-align:bottom;border-bottom:1px solid var(--grid)}\n"
    "td{white-space:nowrap}\n"
    "thead th,thead td{border-bottom:1px solid var(--soft)}\n"
    "thead th{min-width:5.5rem}\n"
    "tr :first-child{text-align:left;min-width:9.5rem}\n"
    "tbody tr :first-child{position:sticky;left:0;background:var(--page)}\n"
    "tbody th{font-weight:400}\n"
    "tbody tr:nth-child(even) :is(th,td){background:var(--band)}\n"
    "@media (min-width:36rem){.chart svg{font-size:80px}}\n"
    "@media screen and (min-width:56rem){thead th{min-width:0}tbody th{white-space:nowrap}}\n"
    "@media "
    "print{@page{margin:15mm}body{font-size:10pt}main{max-width:none;padding:0}.scroll{overflow:visible;background:"
    "none}"
    "thead th{min-width:0}tr :first-child{min-width:6rem}.chart svg{max-width:11cm;font-size:90px}.histogram "
    "svg{font-size:110px}"
    "table{font-size:8pt}th,td{padding:.2rem .35rem}tr{break-inside:avoid}"
    "tbody tr :first-child{position:static}.row{break-inside:avoid;flex-wrap:nowrap}.bars,.mask img{"
    "print-color-adjust:exact}}\n",
    NULL,
};

const char *const pm_chart_style[] = {
    colours,
    "svg{background:var(--page);color:var(--ink);fill:currentColor;font:80px system-ui,-apple-system,\"Segoe "
    "UI\",Roboto,\"Liberation Sans\",\"DejaVu Sans\",sans-serif}\n"
    "path{vector-effect:non-scaling-stroke}\n"
    ".caption{font-weight:600}\n"
    ".name{fill:var(--ink)}\n",
    drawing,
    NULL,
};
