/* SPDX-License-Identifier: Apache-2.0 */
/* How the page looks.  Colours are named once for light and once for dark; text has a
 * contrast of at least 4.5 to 1 against what is behind it (WCAG 2.2, AA).  On paper it
 * is light, whatever the screen is, and nothing is folded away. */
#include "report/page.h"

#define LIGHT                                                                          \
    "--page:#f5f6f8;--card:#fff;--ink:#1c2126;--soft:#56606b;--rule:#d9dee4;"          \
    "--train:#a94e00;--val:#0b5cad;--other:#3d7a3d;--good:#1f7a3a;--bad:#b3261e;"      \
    "--s0:#fff;--s1:#e3eefa;--s2:#bcd8f3;--s3:#86b8e8;--s4:#2f77bd;--s5:#0b4a8a;"      \
    "--w1:#fdeae6;--w2:#f8cdc4;--w3:#f0a597;--w4:#c5492f;--w5:#93291a;"                \
    "--deep:#fff;--pale:#1c2126;"
#define DARK                                                                           \
    "--page:#101418;--card:#181e24;--ink:#e7ebef;--soft:#a3aeb9;--rule:#323b45;"       \
    "--train:#ffb36b;--val:#7cb8ff;--other:#86cf86;--good:#7fd694;--bad:#ff9b90;"      \
    "--s0:#181e24;--s1:#1d2c3b;--s2:#1f3f5f;--s3:#235a8c;--s4:#7cb8ff;--s5:#b9dbff;"   \
    "--w1:#38221e;--w2:#552a22;--w3:#7d3526;--w4:#ff9b80;--w5:#ffc4b3;"                \
    "--deep:#101418;--pale:#e7ebef;"

const char *const afn_report_style[] = {
    ":root{color-scheme:light dark;" LIGHT "}\n"
    "@media(prefers-color-scheme:dark){:root{" DARK "}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--ink);"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\n"
    "main,header,footer{max-width:1160px;margin:0 auto;padding:0 16px}\n"
    "h1{font-size:1.6rem;line-height:1.25;margin:24px 0 4px;overflow-wrap:anywhere}\n"
    "h2{font-size:1.2rem;margin:0 0 12px}\n"
    "h3{font-size:1rem;margin:12px 0 4px;font-weight:600}\n"
    "p{margin:0 0 12px;max-width:75ch}\n"
    ".soft,figcaption,dt{color:var(--soft)}\n"
    "section{background:var(--card);border:1px solid var(--rule);border-radius:10px;"
    "padding:16px;margin:16px 0}\n"
    ".facts{display:grid;gap:8px 24px;margin:0 0 12px;"
    "grid-template-columns:repeat(auto-fill,minmax(145px,1fr))}\n"
    ".facts div{min-width:0}\n"
    ".facts dt{font-size:.85rem}\n"
    ".facts dd{margin:0;font-size:1.1rem;font-variant-numeric:tabular-nums;"
    "overflow-wrap:anywhere}\n"
    ".facts dd "
    "small{display:block;font-size:.85rem;font-weight:400;color:var(--soft)}\n"
    ".facts .main dd{font-size:1.7rem;line-height:1.3;font-weight:600}\n"
    ".charts{display:grid;gap:16px;"
    "grid-template-columns:repeat(auto-fill,minmax(min(320px,100%),1fr))}\n",
    "figure{margin:0;min-width:0}\n"
    "svg{display:block;width:100%;height:auto}\n"
    "svg text{font:11px system-ui,sans-serif;fill:var(--soft)}\n"
    "svg .strong{fill:var(--ink)}\n"
    ".grid{stroke:var(--rule);stroke-width:1;fill:none}\n"
    ".phase{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 3;fill:none}\n"
    ".line{fill:none;stroke-width:2;stroke-linejoin:round}\n"
    ".line.train{stroke:var(--train);stroke-dasharray:5 3}\n"
    ".line.val{stroke:var(--val)}.line.other{stroke:var(--other)}\n"
    "circle.train{fill:var(--train)}circle.val{fill:var(--val)}"
    "circle.other{fill:var(--other)}\n"
    ".bar{fill:var(--s3)}.gap{fill:var(--w3)}\n"
    ".key{display:inline-flex;align-items:center;gap:6px;margin-right:16px;"
    "font-size:.85rem}\n"
    ".key svg{width:24px;flex:none}\n"
    ".scroll{overflow-x:auto;max-width:100%}\n",
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;"
    "font-size:.9rem}\n"
    "th,td{padding:4px 10px;text-align:right;border-bottom:1px solid var(--rule);"
    "white-space:nowrap}\n"
    "th{font-weight:600}thead th{vertical-align:bottom}\n"
    "th[scope=row],.left{text-align:left}\n"
    ".wrap{white-space:normal;overflow-wrap:anywhere;min-width:12rem}\n"
    ".name{max-width:16rem;overflow:hidden;text-overflow:ellipsis}\n"
    "td small{color:var(--soft)}\n"
    ".kept{background:var(--s1)}\n"
    ".matrix td{text-align:center;min-width:2.6rem;border:1px solid var(--rule)}\n"
    ".matrix thead th+th{text-align:center;max-width:7rem;overflow:hidden;"
    "text-overflow:ellipsis}\n"
    ".s0,.s1,.s2,.s3,.w1,.w2,.w3{color:var(--pale)}"
    ".s4,.s5,.w4,.w5{color:var(--deep)}\n"
    ".s0{background:var(--s0)}.s1{background:var(--s1)}.s2{background:var(--s2)}"
    ".s3{background:var(--s3)}.s4{background:var(--s4)}.s5{background:var(--s5)}\n"
    ".w1{background:var(--w1)}.w2{background:var(--w2)}.w3{background:var(--w3)}"
    ".w4{background:var(--w4)}.w5{background:var(--w5)}\n"
    "rect.s1{fill:var(--s1)}rect.s2{fill:var(--s2)}rect.s3{fill:var(--s3)}"
    "rect.s4{fill:var(--s4)}rect.s5{fill:var(--s5)}\n"
    "rect.w1{fill:var(--w1)}rect.w2{fill:var(--w2)}rect.w3{fill:var(--w3)}"
    "rect.w4{fill:var(--w4)}rect.w5{fill:var(--w5)}\n",
    ".pairs{margin:0;padding-left:2rem;columns:auto 260px}\n"
    ".board{max-width:420px}\n"
    ".gallery{display:grid;gap:14px;list-style:none;margin:0 0 16px;padding:0;"
    "grid-template-columns:repeat(auto-fill,minmax(160px,1fr))}\n"
    ".gallery img{display:block;width:100%;height:auto;border-radius:6px;"
    "background:var(--rule)}\n"
    ".gallery li{min-width:0;font-size:.85rem;line-height:1.35;"
    "overflow-wrap:anywhere}\n"
    ".pair{display:grid;grid-template-columns:1fr 1fr;gap:2px}\n"
    ".good{color:var(--good)}.bad{color:var(--bad)}\n"
    "details{margin:8px 0}summary{cursor:pointer;padding:4px 0}\n"
    "footer{padding-bottom:32px;font-size:.85rem;color:var(--soft)}\n",
    "@media(max-width:480px){th,td{padding:4px 6px}"
    ".matrix thead th+th{max-width:3.2rem}}\n"
    "@media print{:root{color-scheme:light;" LIGHT "}"
    "body{background:#fff;font-size:11pt}"
    "main,header,footer{max-width:none;padding:0}"
    "section{border:0;padding:0;margin:14pt 0}"
    "figure,tr,li{break-inside:avoid}h2,h3{break-after:avoid}"
    ".charts{grid-template-columns:1fr 1fr}"
    ".gallery{grid-template-columns:repeat(5,1fr)}"
    ".scroll{overflow:visible}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}"
    "details::details-content{content-visibility:visible;display:block}}\n",
    NULL,
};
