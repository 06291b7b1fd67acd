// The markdown block: the part of Markdown that Slack renders there.

import { el, link } from "./dom.js";
import { emoji } from "./text.js";

const INLINE =
  /(?<code>`[^`\n]+`)|!?\[(?<label>[^\]\n]*)\]\((?<url>[^()\s]+)\)|\*\*(?<bold>[^\n]+?)\*\*|__(?<bold2>[^\n]+?)__|~~(?<strike>[^\n]+?)~~|(?<![\w*])\*(?<italic>[^*\n]+?)\*|(?<![\w_])_(?<italic2>[^_\n]+?)_(?!\w)|(?<bare>https?:\/\/[^\s<>()]+)|:(?<emoji>[a-z0-9_+-]+):/g;

function inline(text) {
  const out = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    if (found.index > at) out.push(text.slice(at, found.index));
    at = found.index + found[0].length;
    const g = found.groups;
    if (g.code) out.push(el("code", {}, g.code.slice(1, -1)));
    else if (g.url !== undefined) out.push(link(g.url, g.label ? inline(g.label) : g.url));
    else if (g.bold || g.bold2) out.push(el("strong", {}, inline(g.bold || g.bold2)));
    else if (g.strike) out.push(el("s", {}, inline(g.strike)));
    else if (g.italic || g.italic2) out.push(el("em", {}, inline(g.italic || g.italic2)));
    else if (g.bare) out.push(link(g.bare, g.bare));
    else out.push(emoji(g.emoji));
  }
  out.push(text.slice(at));
  return out;
}

const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());

export function markdown(text) {
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  const out = [];
  let list = null;
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i];
    const item = line.match(/^\s*(?:([-*+])|(\d+)[.)])\s+(?:\[([ xX])\]\s+)?(.*)$/);
    if (!item) list = null;
    if (line.startsWith("```")) {
      const from = i + 1;
      do i += 1; while (i < lines.length && !lines[i].startsWith("```"));
      out.push(el("pre", { class: "code" }, el("code", {}, lines.slice(from, i).join("\n"))));
    } else if (/^#{1,6}\s/.test(line)) {
      out.push(el("p", { class: "markdown-heading" }, inline(line.replace(/^#+\s+/, ""))));
    } else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      out.push(el("hr"));
    } else if (line.includes("|") && /^[\s|:-]*-[\s|:-]*$/.test(lines[i + 1] || "")) {
      const head = el("tr", {}, cells(line).map((cell) => el("th", { scope: "col" }, inline(cell))));
      const rows = [];
      for (i += 2; i < lines.length && lines[i].includes("|"); i += 1) {
        rows.push(el("tr", {}, cells(lines[i]).map((cell) => el("td", {}, inline(cell)))));
      }
      i -= 1;
      out.push(el("div", { class: "table" }, el("table", {}, el("thead", {}, head), el("tbody", {}, rows))));
    } else if (item) {
      const tag = item[2] ? "OL" : "UL";
      if (list?.tagName !== tag) out.push((list = el(tag, { class: "rich" })));
      const tick = item[3] === undefined ? "" : item[3] === " " ? "☐ " : "☑ ";
      list.append(el("li", {}, tick, inline(item[4])));
    } else if (line.startsWith(">")) {
      out.push(el("blockquote", {}, inline(line.replace(/^>\s?/, ""))));
    } else if (line.trim()) {
      out.push(el("p", {}, inline(line)));
    }
  }
  return out;
}
