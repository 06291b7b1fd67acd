// Blocks as nodes. `host` knows where they stand:
//   host.answer(block, element)          what was chosen or typed there, raw
//   host.set(block, element, raw)        it changed, quietly
//   host.act(block, element, raw, node)  it was used: tell the app
//   host.errors                          {block_id: sentence}, for dialogs
//   host.warning                         {block_id, text} of a click that failed

import { el, safePicture } from "./dom.js";
import { field, interactive } from "./elements.js";
import { markdown } from "./markdown.js";
import { plain, richText, textObject } from "./text.js";

export function renderBlocks(blocks, host) {
  return el("div", { class: "blocks" }, blocks.map((block) => {
    const node = DRAW[block.type]?.(block, host) ?? el("p", { class: "unknown" }, `(${block.type})`);
    node.dataset.block = block.block_id;
    return host.warning && host.warning.block_id === block.block_id
      ? [node, el("p", { class: "app-warning", role: "alert" }, "⚠️ ", host.warning.text)]
      : node;
  }));
}

function picture(block) {
  const src = safePicture(block.image_url);
  return src
    ? el("img", { src, alt: block.alt_text, loading: "lazy", referrerpolicy: "no-referrer" })
    : el("span", { class: "unknown" }, block.alt_text);
}

const DRAW = {
  header: (block) => el("p", { class: "b-header", role: "heading", "aria-level": String(block.level || 3) }, plain(block.text)),
  divider: () => el("hr"),
  section: (block, host) =>
    el("div", { class: "b-section" },
      el("div", { class: "b-section-main" },
        block.text && el("div", { class: "b-text" }, textObject(block.text)),
        block.fields && el("div", { class: "b-fields" }, block.fields.map((each) => el("div", {}, textObject(each))))),
      block.accessory && el("div", { class: "b-accessory" },
        block.accessory.type === "image" ? picture(block.accessory) : interactive(block, block.accessory, host))),
  context: (block) =>
    el("div", { class: "b-context" }, block.elements.map((each) =>
      each.type === "image" ? picture(each) : el("span", {}, textObject(each)))),
  actions: (block, host) => el("div", { class: "b-actions" }, block.elements.map((each) => interactive(block, each, host))),
  image: (block) =>
    el("figure", { class: "b-image" }, block.title && el("figcaption", {}, plain(block.title)), picture(block)),
  input: (block, host) => field(block, host),
  rich_text: (block) => el("div", { class: "b-rich" }, richText(block.elements)),
  markdown: (block) => el("div", { class: "b-markdown" }, markdown(block.text)),
  table: (block) => {
    const cell = (tag, each, column) => {
      const { align, is_wrapped: wrapped } = block.column_settings?.[column] || {};
      const body = each.type === "rich_text" ? richText(each.elements) : String(each.text ?? each.value);
      const scope = tag === "th" ? "col" : undefined;
      return el(tag, { scope, class: `${align ? `to-${align}` : ""} ${wrapped ? "" : "one-line"}` }, body);
    };
    const [head, ...rows] = block.rows;
    return el("div", { class: "table", tabindex: "0", role: "group", "aria-label": "Table" },
      el("table", {},
        el("thead", {}, el("tr", {}, head.map((each, i) => cell("th", each, i)))),
        el("tbody", {}, rows.map((row) => el("tr", {}, row.map((each, i) => cell("td", each, i)))))));
  },
};
