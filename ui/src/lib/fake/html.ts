/** The HTML of a message as the program would give it: cleaned. */
import type { MessageHtml, MessageView } from "../bindings";
import type { Scene } from "./status";

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The page that the program puts around a mail: `crates/html/src/document.rs`. */
function page(fragment: string): string {
  const font = `14px/1.5 "Segoe UI Variable Text","Segoe UI",-apple-system,BlinkMacSystemFont,Cantarell,"Noto Sans",Ubuntu,sans-serif`;
  const style = `:root{color-scheme:light;background:#fff;color:#17222e}body{margin:0;padding:12px 14px;font:${font};overflow-wrap:anywhere}body>:first-child{margin-top:0}body>:last-child{margin-bottom:0}img,table{max-width:100%}`;
  return `<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"><style>${style}</style></head><body>${fragment}</body></html>`;
}

/** What a window must bear, whatever the program lets through: 5 MB of a table, and 10,000 elements in each other. */
function heavy(thread: number | null): string | null {
  if (thread === 1) {
    const row = `<tr><td>row</td><td>${"wide words ".repeat(40)}</td></tr>`;
    return `<table>${row.repeat(Math.ceil(5_000_000 / row.length))}</table><p id="end">the last line</p>`;
  }
  return thread === 2 ? `${"<div>".repeat(10_000)}deep inside${"</div>".repeat(10_000)}` : null;
}

export function html(message: MessageView, scene: Scene): MessageHtml {
  const weight = scene === "heavy" ? heavy(message.thread) : null;
  if (weight !== null) return { html: page(weight), blocked_pictures: 0, cut: false };
  if (scene === "hostile") {
    const deep = "<div>".repeat(400) + "deep inside" + "</div>".repeat(400);
    const rows = Array.from({ length: 2000 }, (_, n) => `<tr><td>${n}</td><td>${"wide ".repeat(40)}</td></tr>`).join("");
    return { html: page(`<h1>Very long newsletter</h1>${deep}<table>${rows}</table>`), blocked_pictures: 214, cut: true };
  }
  const body = (message.text ?? "").split("\n\n").map((one) => `<p>${escape(one).replaceAll("\n", "<br>")}</p>`).join("");
  return { html: page(body), blocked_pictures: message.direction === "incoming" ? 2 : 0, cut: false };
}
