namespace TransferPipeline.Reports;

/// <summary>What is needed to make the page again.</summary>
internal static class ProvenanceSection
{
    public static IEnumerable<Section> Build(ReportContent content)
    {
        var (comparison, provenance) = (content.Shown, content.Shown.Provenance);
        var html = new Html();
        if (provenance.Command.Length > 0)
            html.Add($"<h3>Command</h3>\n<pre tabindex=\"0\"><code>{provenance.Command}</code></pre>\n");
        html.Add($"<dl class=\"options\"><div><dt>seed</dt><dd>{provenance.Seed}</dd></div>");
        foreach (var (name, version) in provenance.Versions)
            html.Add($"<div><dt><bdi>{name}</bdi></dt><dd><bdi>{version}</bdi></dd></div>");
        html.Add($"</dl>\n");
        for (var s = 0; s < provenance.FeatureSets.Count; s++)
        {
            var set = provenance.FeatureSets[s];
            html.Add($"<h3>Feature set ")
                .Name(FeatureSetsSection.NameOf(comparison, s))
                .Add($"</h3>\n<dl class=\"recipe\"><div><dt>folder</dt><dd>")
                .Name(set.Folder)
                .Add($"</dd></div><div><dt>model</dt><dd>")
                .Name(set.Model)
                .Add($"</dd></div><div><dt>cut</dt><dd>")
                .Name(set.Cut)
                .Add($"</dd></div><div><dt>values per photo</dt><dd>")
                .Count(set.Dimension)
                .Add($"</dd></div>");
            if (double.IsFinite(set.ExtractionSeconds))
                html.Add($"<div><dt>extraction</dt><dd>").Seconds(set.ExtractionSeconds).Add($"</dd></div>");
            foreach (var (name, value) in set.Recipe.Where(r => r.Key is not ("model" or "cut")))
                html.Add($"<div><dt><bdi>{name}</bdi></dt><dd><bdi>{value}</bdi></dd></div>");
            html.Add($"</dl>\n");
        }

        html.Add($"<p class=\"muted\">The figures of this page stand in it as JSON too (the element with the id “figures”).");
        if (content.LeftOut.Count > 0)
            html.Add($" To keep it small it leaves out {string.Join(" and ", content.LeftOut)}; the JSON of <code>--json</code> has them.");
        yield return new("provenance", "Provenance", "Where this comes from", html.Add($"</p>\n"));
    }
}
