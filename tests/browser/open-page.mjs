// Opens one HTML file in chromium as readers do (wide and light, dark, on a phone, by keyboard, on paper) and prints what happened as JSON.
// Usage: node open-page.mjs PAGE.html CHROMIUM [PICTURE-FOLDER]
import { createRequire } from "node:module";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { chromium } = createRequire(new URL("../../build/package.json", import.meta.url))("playwright-core");
const [file, executablePath, pictures] = process.argv.slice(2);
if (pictures) mkdirSync(pictures, { recursive: true });
const picture = (of, name, options = {}) => pictures ? of.screenshot({ path: join(pictures, name), ...options }) : undefined;
const profile = mkdtempSync(join(tmpdir(), "transfer-browser-"));
const url = pathToFileURL(file).href;

const browser = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  viewport: { width: 1280, height: 900 },
  deviceScaleFactor: 1,
  colorScheme: "light",
  reducedMotion: "reduce",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

// Texts whose contrast to the nearest background is below 4.5:1 (WCAG 2.1, 1.4.3), as "ratio text".
const faint = () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const parse = css => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const known = new Map(), colour = css => known.get(css) ?? known.set(css, parse(css)).get(css);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const found = [];
  const folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach(d => { d.open = true; });
  for (const e of document.querySelectorAll("main *")) {
    if (e.closest("svg, [hidden], .zero, .sr, .skip") || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length) continue;
    const text = colour(getComputedStyle(e).color);
    let under = [255, 255, 255];
    for (let p = e; p; p = p.parentElement) {
      const back = colour(getComputedStyle(p).backgroundColor);
      if (back[3] === 255) { under = back; break; }
    }
    const mixed = [0, 1, 2].map(i => text[i] * text[3] / 255 + under[i] * (1 - text[3] / 255));
    const [a, b] = [light(mixed), light(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${e.tagName}.${e.className} ${e.textContent.trim().slice(0, 30)}`);
  }
  folded.forEach(d => { d.open = false; });
  return found.slice(0, 10);
};
const seen = { messages: [], requests: [], dialogs: [] };
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  page.on("console", m => seen.messages.push(`${m.type()}: ${m.text()}`));
  page.on("pageerror", e => seen.messages.push(`error: ${e.message}`));
  page.on("dialog", d => { seen.dialogs.push(d.message()); d.dismiss(); });
  page.on("request", r => { if (r.url() !== url && !r.url().startsWith("data:")) seen.requests.push(r.url()); });

  await page.goto(url);
  seen.text = await page.evaluate(() => document.body.innerText);
  seen.injected = await page.evaluate(() => document.querySelectorAll("body [onclick], bdi *, title *").length + document.scripts.length
    - document.querySelectorAll("body > script").length);
  seen.nameless = await page.evaluate(() => {
    const name = e => (e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.textContent || "").trim();
    const found = [...document.querySelectorAll("th, [role=region], [role=img], button, summary, a, label, figcaption")].filter(e => !name(e)).map(e => e.outerHTML.slice(0, 80));
    const regions = [...document.querySelectorAll("[role=region]")].map(e => e.getAttribute("aria-label"));
    return [...found, ...regions.filter((r, i) => regions.indexOf(r) !== i).map(r => `two regions '${r}'`),
      ...[...document.querySelectorAll("figure[role]")].map(e => `figure as ${e.getAttribute("role")}`),
      ...[...document.querySelectorAll("select, input")].filter(e => !e.labels.length).map(e => e.outerHTML.slice(0, 80))];
  });
  await picture(page, "light.png");
  await picture(page, "light-full.png", { fullPage: true });

  // By keyboard: what each press of Tab reaches.
  const stops = new Set();
  for (let i = 0; i < 400; i++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const e = document.activeElement;
      return e === document.body ? "" : e.tagName.toLowerCase() + (e.classList.contains("map") ? ".map" : e.classList.length ? "." + e.classList[0] : "")
        + (e.getAttribute("role") === "tab" ? "[tab]" : "") + (e.dataset.class ? "[class]" : "");
    });
    if (stop === "") break;
    stops.add(stop);
  }
  seen.tabStops = [...stops];

  const sort = page.locator("table.heads th.n .sort").first();
  if (await sort.count()) {
    const directions = [];
    for (let i = 0; i < 2; i++) {
      await sort.focus();
      await page.keyboard.press("Enter");
      directions.push(await page.locator("table.heads th[aria-sort]").first().getAttribute("aria-sort"));
    }
    seen.sorted = directions.join(",");
  }

  const map = page.locator("svg.map:visible").first();
  if (await map.count()) {
    const mark = map.locator(".mark[data-t]").or(map.locator(".mark")).first();
    await mark.scrollIntoViewIfNeeded();
    await mark.hover({ force: true });
    seen.map = { tipShown: await page.locator("#tip").isVisible() };
    await picture(page.locator("#map"), "map.png");
    await page.mouse.move(0, 0);
    await map.focus();
    const walk = [];
    for (const key of ["ArrowRight", "ArrowUp", "ArrowUp"]) {
      await page.keyboard.press(key);
      walk.push(await page.evaluate(() => document.querySelector(".mark.here")?.dataset.i));
    }
    seen.map.walked = new Set(walk).size;
    seen.map.tipByKeyboard = await page.locator("#tip").isVisible();
    await page.keyboard.press("Escape");
    seen.map.tipAfterEscape = await page.locator("#tip").isVisible();
    await page.locator("[role=tab]").first().focus();
    await page.keyboard.press("ArrowRight");
    seen.map.secondTab = await page.locator("[role=tab]").nth(1).getAttribute("aria-selected");
  }

  const filter = page.locator("[data-filter=right]");
  if (await filter.count()) {
    await filter.selectOption("no");
    seen.wrongShown = await page.locator("#grid > li:visible").count();
    await filter.selectOption("");
  }

  await page.evaluate(() => scrollTo(0, 0));
  await page.emulateMedia({ colorScheme: "dark" });
  seen.faintDark = await page.evaluate(faint);
  await page.emulateMedia({ colorScheme: "light" });
  seen.faintLight = await page.evaluate(faint);
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "dark.png");
  await picture(page, "dark-full.png", { fullPage: true });

  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: "light" });
  seen.phoneScrollWidth = await page.evaluate(() => document.documentElement.scrollWidth);
  seen.widest = await page.evaluate(() => [...document.querySelectorAll("body *")]
    .filter(e => !e.closest(".scroll, nav, .defs") && e.getBoundingClientRect().right > innerWidth + 1)
    .map(e => `${e.tagName}.${e.className?.baseVal ?? e.className}`).slice(0, 5).join(" "));
  await picture(page, "phone.png");
  await picture(page, "phone-full.png", { fullPage: true });

  await page.setViewportSize({ width: 718, height: 1000 });
  await page.emulateMedia({ media: "print" });
  seen.printedCalibration = await page.evaluate(() => Math.round(document.querySelector(".side > svg")?.getBoundingClientRect().width ?? 0));
  seen.printedWidth = await page.evaluate(() => document.documentElement.scrollWidth);
  await picture(page, "print-full.png", { fullPage: true });
  await page.emulateMedia({ media: null });
  await page.setViewportSize({ width: 1280, height: 900 });
  seen.pdfBytes = (await page.pdf({ format: "A4", ...(pictures && { path: join(pictures, "page.pdf") }) })).length;
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
console.log(JSON.stringify(seen));
