//! What stands around the sections of a report.

/// Colours have a contrast of 4.5 to 1 with what they stand on, or more, as WCAG 2.1 asks of text.
pub(super) const STYLE: &str = "\
:root{color-scheme:light dark;--page:#f4f6f8;--sheet:#fff;--ink:#1f2933;--soft:#52606d;--rule:#d5dbe1;--link:#1a5fa8;\
--right:#2a7fbd;--wrong:#d1495b;--series-0:#1f77b4;--series-1:#d9620b;--series-2:#2a8a3e;--series-3:#a3459b;\
--series-4:#7a6a00;--series-5:#5f6b77}\
@media(prefers-color-scheme:dark){:root{--page:#12161a;--sheet:#1a2026;--ink:#e8ecf0;--soft:#b1bac4;--rule:#39434d;\
--link:#7db8ee;--right:#2f81c4;--wrong:#d1495b;--series-0:#62aaf0;--series-1:#f0964a;--series-2:#67c47a;--series-3:#d68ad0;\
--series-4:#d2bf4e;--series-5:#a7b3bf}}\
*{box-sizing:border-box}\
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}\
header,main{max-width:1180px;margin:0 auto;padding:0 16px}\
h1{font-size:1.7rem;line-height:1.25;margin:24px 0 8px;overflow-wrap:anywhere}\
h2{font-size:1.15rem;margin:0 0 10px;overflow-wrap:anywhere}\
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;padding:0;margin:0 0 18px}\
a{color:var(--link)}nav a{display:inline-block;padding:3px 0}\
main{display:flex;flex-direction:column;gap:16px;padding-bottom:48px}\
.row{display:flex;flex-wrap:wrap;gap:16px}.row section{flex:1 1 min(100%,340px)}.row.pairs section{flex-basis:min(100%,460px)}\
section{background:var(--sheet);border:1px solid var(--rule);border-radius:10px;padding:16px;min-width:0;scroll-margin-top:8px}\
p{margin:0 0 12px;max-width:75ch;white-space:pre-line;overflow-wrap:anywhere}.none,figcaption,caption,.note{color:var(--soft);font-size:.875rem}\
figure{margin:0}figcaption{margin-top:6px;overflow-wrap:anywhere;white-space:pre-line}figcaption b{color:var(--ink)}\
img{max-width:100%;height:auto;display:block}\
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 18px;padding:0;margin:0 0 4px;font-size:.9rem}\
.legend span{display:inline-block;width:20px;height:4px;border-radius:2px;margin-right:8px;vertical-align:middle}\
.chart svg{display:block;width:100%;height:auto;max-width:480px;margin:0 auto}.chart text{font-family:inherit}\
.scroll{overflow:auto;max-width:100%;margin-bottom:14px}.scroll.tall{max-height:min(70vh,640px)}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.925rem}\
caption{caption-side:bottom;text-align:left;padding-top:6px}\
th,td{padding:5px 12px;text-align:left;border-bottom:1px solid var(--rule)}th{font-weight:600;overflow-wrap:break-word;max-width:12em}\
.tall thead th{position:sticky;top:0;background:var(--sheet)}.number{text-align:right}\
.confusion th,.confusion td{padding:0 4px;text-align:center;border:1px solid var(--sheet);height:34px;min-width:36px}\
.confusion tbody th{position:sticky;left:0;background:var(--sheet);text-align:right;padding-right:8px;max-width:9em;overflow-wrap:break-word}\
.side{display:flex;flex-wrap:wrap;gap:8px 40px;align-items:flex-start}.side>*{min-width:0}\
.confusion .zero{color:var(--soft)}\
.confusion .right{background:color-mix(in srgb,var(--right) var(--share),var(--sheet))}\
.confusion .wrong{background:color-mix(in srgb,var(--wrong) var(--share),var(--sheet))}\
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(120px,1fr));gap:16px}\
.pictures img{width:100%;image-rendering:pixelated;border-radius:4px}\
.maps{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));gap:22px 24px;align-items:start}\
.maps img,.filters img{width:auto;max-height:340px}.matrix{flex:0 1 500px}.matrix img{width:100%}\
.diagram svg{display:block;margin:0 auto}\
@media(max-width:600px){section{padding:14px 12px}th,td{padding:5px 6px}table{font-size:.875rem}.confusion th,.confusion td{min-width:27px;padding:0 1px;font-size:.85rem}}\
@media print{body{background:none}.scroll,.scroll.tall{max-height:none;overflow:visible}section{break-inside:avoid}}";

/// The beginning of a page, to the end of its list of sections.
pub(super) fn begin(html: &mut String, title: &str, sections: &[(usize, &str)]) {
    let title = super::html::escape(title);
    html.push_str("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
    html.push_str(&format!("<title>{title}</title><style>{STYLE}</style></head>\n<body><header><h1>{title}</h1>"));
    if sections.len() > 1 {
        html.push_str("<nav aria-label=\"Sections\"><ul>");
        for (number, section) in sections {
            html.push_str(&format!("<li><a href=\"#s{number}\">{}</a></li>", super::html::escape(section)));
        }
        html.push_str("</ul></nav>");
    }
    html.push_str("</header>\n<main>");
}
