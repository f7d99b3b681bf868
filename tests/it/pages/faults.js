// Runs in the page; answers a list of faults.
const faults = [];
for (const details of document.querySelectorAll("details")) details.open = true;
if (document.styleSheets.length !== 1) faults.push("the style sheet is missing");
if (document.documentElement.scrollWidth > innerWidth) faults.push(`the page is ${document.documentElement.scrollWidth} wide`);

function channels(text) {
  const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
  return { rgb: [r, g, b], a };
}
function luminance(rgb) {
  const [r, g, b] = rgb.map((c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function ground(element) {
  for (let e = element; e; e = e.parentElement) {
    const colour = channels(getComputedStyle(e).backgroundColor);
    if (colour.a === 1) return colour.rgb;
  }
  return [255, 255, 255];
}

const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const text = texts.currentNode, element = text.parentElement;
  if (!text.data.trim() || element.closest(".unseen") || !element.checkVisibility()) continue;
  const range = document.createRange();
  range.selectNodeContents(text);
  const box = range.getBoundingClientRect();
  if (box.width && (box.right > innerWidth + 0.5 || box.left < -0.5)) faults.push(`off the screen: ${text.data.trim()}`);
  const style = getComputedStyle(element);
  const a = luminance(channels(style.color).rgb), b = luminance(ground(element));
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < 4.5) faults.push(`contrast ${contrast.toFixed(2)}: ${text.data.trim()}`);
}
for (const link of document.querySelectorAll("nav a, footer a, button, input:not([type=hidden])")) {
  if (link.getBoundingClientRect().height < 24) faults.push(`too low to touch: ${link.textContent}`);
}
return faults;
