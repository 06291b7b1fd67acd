"""What an eye would notice, measured in the page: contrast, text that is cut off, content wider than the screen."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

# Every visible piece of text with its colour and the colours behind it, nearest first. Colours come as the canvas
# resolves them, so that color-mix() and the like are numbers too.
_TEXTS = """
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = (top, under) => top.slice(0, 3).map((c, i) => c * (top[3] / 255) + under[i] * (1 - top[3] / 255));
  const root = document.querySelector("dialog[open]") || document.body;
  const found = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const node = walker.currentNode.parentElement;
    if (!text || !node.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (node.closest(".sr, .skip, option, .emoji, :disabled")) continue;
    const box = node.getBoundingClientRect();
    const style = getComputedStyle(node);
    let ground = [255, 255, 255];
    const layers = [];
    for (let up = node; up; up = up.parentElement) layers.unshift(rgba(getComputedStyle(up).backgroundColor));
    for (const layer of layers) ground = over(layer, ground);
    let ink = rgba(style.color);
    for (let up = node; up; up = up.parentElement) ink[3] *= Number(getComputedStyle(up).opacity);
    ink = over(ink, ground);
    const size = parseFloat(style.fontSize);
    const clipped = node.scrollWidth > node.clientWidth + 1 && ["hidden", "clip"].includes(style.overflowX);
    found.push({ text: text.slice(0, 60), ink, ground, large: size >= 24 || (size >= 18.6 && style.fontWeight >= 700),
      left: box.left, right: box.right, clipped: clipped && style.textOverflow !== "ellipsis" });
  }
  return found;
}
"""


def texts(page: Page) -> list[dict[str, Any]]:
    """Each visible text: {text, ink, ground, large, left, right, clipped}."""
    found: list[dict[str, Any]] = page.evaluate(_TEXTS)
    return found


def contrast(ink: list[float], ground: list[float]) -> float:
    """The contrast ratio of WCAG 2, from 1 to 21."""

    def luminance(colour: list[float]) -> float:
        parts = [c / 255 for c in colour]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(ink), luminance(ground)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def faint(page: Page) -> list[str]:
    """Texts under WCAG 2's AA contrast: 4.5, for large text 3."""
    found = []
    for each in texts(page):
        ratio = contrast(each["ink"], each["ground"])
        if ratio < (3 if each["large"] else 4.5):
            found.append(f"{each['text']!r} {ratio:.2f}")
    return found


def outside(page: Page) -> list[str]:
    """Texts that stand beside the screen, or are cut off without a mark."""
    size = page.viewport_size
    assert size is not None
    width = size["width"]
    return [each["text"] for each in texts(page) if each["left"] < -1 or each["right"] > width + 1 or each["clipped"]]


def scrolls_sideways(page: Page) -> list[str]:
    """Ids or classes of the parts that scroll sideways, other than tables, which may."""
    found: list[str] = page.evaluate(
        """(parts) => [...document.querySelectorAll(parts)]
          .filter((node) => node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0)
          .map((node) => node.id || node.className || node.tagName)""",
        "html, body, #scroll, #side, #thread, dialog, .thread-scroll, .modal-body, .message-main",
    )
    return found


def coloured_pixels(page: Page, sign: str) -> int:
    """How many pixels of a sign, drawn as the page's emoji are, have a colour: none where a box stands for it."""
    count: int = page.evaluate(
        """(sign) => {
          const canvas = new OffscreenCanvas(48, 48).getContext("2d");
          canvas.font = `32px ${getComputedStyle(document.querySelector(".emoji")).fontFamily}`;
          canvas.fillText(sign, 4, 36);
          const data = canvas.getImageData(0, 0, 48, 48).data;
          let count = 0;
          for (let i = 0; i < data.length; i += 4) {
            const [red, green, blue, alpha] = data.slice(i, i + 4);
            if (alpha && Math.max(red, green, blue) - Math.min(red, green, blue) > 40) count += 1;
          }
          return count;
        }""",
        sign,
    )
    return count
