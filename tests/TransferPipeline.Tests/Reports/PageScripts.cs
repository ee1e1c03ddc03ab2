namespace TransferPipeline.Tests.Reports;

/// <summary>What <see cref="Browser"/> evaluates within a page.</summary>
internal static class PageScripts
{
    /// <summary>Texts whose contrast to the nearest background is below 4.5:1 (WCAG 2.1, 1.4.3), as "ratio text".</summary>
    public const string Faint = """
        () => {
          const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
          const canvas = pixel.getContext("2d", { willReadFrequently: true });
          const parse = css => {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = css;
            canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data];
          };
          const known = new Map(), color = css => known.get(css) ?? known.set(css, parse(css)).get(css);
          const linear = v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
          const light = ([r, g, b]) => [r, g, b].map(v => linear(v / 255)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const found = [];
          const folded = [...document.querySelectorAll("details:not([open])")];
          folded.forEach(d => { d.open = true; });
          for (const e of document.querySelectorAll("main *")) {
            if (e.closest("svg, [hidden], .zero, .sr, .skip") || !e.getClientRects().length) continue;
            if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
            const text = color(getComputedStyle(e).color);
            let under = [255, 255, 255];
            for (let p = e; p; p = p.parentElement) {
              const back = color(getComputedStyle(p).backgroundColor);
              if (back[3] === 255) { under = back; break; }
            }
            const mixed = [0, 1, 2].map(i => text[i] * text[3] / 255 + under[i] * (1 - text[3] / 255));
            const [a, b] = [light(mixed), light(under)].sort((x, y) => y - x);
            const ratio = (a + 0.05) / (b + 0.05);
            if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${e.tagName}.${e.className} ${e.textContent.trim().slice(0, 30)}`);
          }
          folded.forEach(d => { d.open = false; });
          return found.slice(0, 10);
        }
        """;

    /// <summary>Number of elements and scripts that only names and labels can have brought in.</summary>
    public const string Injected = """
        () => document.querySelectorAll("body [onclick], bdi *, title *").length
          + document.scripts.length - document.querySelectorAll("body > script").length
        """;

    /// <summary>Elements without a name that a screen reader could read out, and regions of the same name.</summary>
    public const string Nameless = """
        () => {
          const name = e => (e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.textContent || "").trim();
          const named = [...document.querySelectorAll("th, [role=region], [role=img], button, summary, a, label, figcaption")];
          const regions = [...document.querySelectorAll("[role=region]")].map(e => e.getAttribute("aria-label"));
          return [...named.filter(e => !name(e)).map(e => e.outerHTML.slice(0, 80)),
            ...regions.filter((r, i) => regions.indexOf(r) !== i).map(r => `two regions '${r}'`),
            ...[...document.querySelectorAll("figure[role]")].map(e => `figure as ${e.getAttribute("role")}`),
            ...[...document.querySelectorAll("select, input")].filter(e => !e.labels.length).map(e => e.outerHTML.slice(0, 80))];
        }
        """;

    /// <summary>The element with the focus, as tag, class and role; empty when none has it.</summary>
    public const string FocusedElement = """
        () => {
          const e = document.activeElement;
          if (e === document.body) return "";
          const part = e.classList.contains("map") ? ".map" : e.classList.length ? "." + e.classList[0] : "";
          return e.tagName.toLowerCase() + part + (e.getAttribute("role") === "tab" ? "[tab]" : "") + (e.dataset.class ? "[class]" : "");
        }
        """;

    /// <summary>The first map on the page that is shown.</summary>
    public const string VisibleMap = """() => [...document.querySelectorAll("svg.map")].find(e => e.getClientRects().length) ?? null""";

    /// <summary>The first elements that reach beyond the window's right edge.</summary>
    public const string WiderThanPage = """
        () => [...document.querySelectorAll("body *")]
          .filter(e => !e.closest(".scroll, nav, .defs") && e.getBoundingClientRect().right > innerWidth + 1)
          .map(e => `${e.tagName}.${e.className?.baseVal ?? e.className}`).slice(0, 5).join(" ")
        """;
}
