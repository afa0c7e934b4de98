/** The HTML of a message as the program would give it: cleaned. */
import type { MessageHtml, MessageView } from "../bindings";

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function html(message: MessageView, hostile: boolean): MessageHtml {
  if (hostile) {
    const deep = "<div>".repeat(400) + "deep inside" + "</div>".repeat(400);
    const rows = Array.from({ length: 2000 }, (_, n) => `<tr><td>${n}</td><td>${"wide ".repeat(40)}</td></tr>`).join("");
    return { html: `<h1>Very long newsletter</h1>${deep}<table>${rows}</table>`, blocked_pictures: 214, cut: true };
  }
  const body = (message.text ?? "").split("\n\n").map((one) => `<p>${escape(one).replaceAll("\n", "<br>")}</p>`).join("");
  return { html: `<div style="font-family:Calibri,Arial,sans-serif;font-size:11pt">${body}</div>`, blocked_pictures: message.direction === "incoming" ? 2 : 0, cut: false };
}
