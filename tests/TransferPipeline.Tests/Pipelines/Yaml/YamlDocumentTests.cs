using TransferPipeline.Pipelines.Yaml;

namespace TransferPipeline.Tests.Pipelines.Yaml;

public sealed class YamlDocumentTests
{
    [Theory]
    [InlineData("---\n", "job.yaml: is empty; expected a mapping with the keys data, model and heads")]
    [InlineData("a: *\n", "job.yaml:1: not valid YAML: a value cannot begin with '*' or '&': put it in quotes")]
    [InlineData("a:\n  b: [1, , 2]\n", "job.yaml:2: not valid YAML: between two commas of a list a value is missing")]
    [InlineData("a: [,1]\n", "job.yaml:1: not valid YAML: between two commas of a list a value is missing")]
    public void Parse_WhatIsNoMapping_IsNamedInItsLine(string text, string message) =>
        Assert.Equal(message, Assert.Throws<BadInputException>(() => YamlDocument.Parse("job.yaml", text)).Message);

    [Theory]
    [InlineData("seed: {a: 0,9}\n", "job.yaml:1: unknown key 'seed.9'; inside braces a comma ends a value: put one that has commas in ")]
    [InlineData("seed: {? [a, b] : 1}\n", "job.yaml:1: seed has a list as a key, expected a name")]
    public void RejectUnknown_AKeyThatIsNoName_IsExplained(string text, string message)
    {
        var map = YamlDocument.Parse("job.yaml", text).Root.Map("seed")!;
        Assert.StartsWith(message, Assert.Throws<BadInputException>(() => map.RejectUnknown(["a"], _ => null)).Message);
    }

    [Fact]
    public void RejectUnknown_MisspeltKey_NamesLineAndNearest()
    {
        var map = YamlDocument.Parse("job.yaml", "data:\n  path: photos\nmodl: resnet18\n").Root;
        map.Map("data");
        map.Text("model");
        var error = Assert.Throws<BadInputException>(map.RejectUnknown);
        Assert.Equal("job.yaml:3: unknown key 'modl'; did you mean 'model'? (known here: data, model)", error.Message);
    }

    [Fact]
    public void Integer_WrongValue_NamesLineFoundAndExpected()
    {
        var map = YamlDocument.Parse("job.yaml", "evaluation:\n  folds: many\n").Root.Map("evaluation")!;
        var error = Assert.Throws<BadInputException>(() => map.Integer("folds", 10, new(2, double.PositiveInfinity)));
        Assert.Equal("job.yaml:2: evaluation.folds is 'many', expected a whole number of at least 2", error.Message);
    }

    [Fact]
    public void Set_NestedAndListPaths_ReplacesOrAdds()
    {
        var document = YamlDocument.Parse("job.yaml", "model: a\nheads:\n  - softmax: {C: 1}\n");
        document.Set("evaluation.folds=5");
        document.Set("heads.0.softmax.C=0.5");
        document.Set("model=[a, b]");
        Assert.Equal(5, document.Root.Map("evaluation")!.Integer("folds", 10, NumberRange.All));
        Assert.Equal("0.5", document.Root.List("heads")[0].Map.Map("softmax")!.Text("C"));
        Assert.Equal(["a", "b"], document.Root.Texts("model"));
    }

    [Fact]
    public void Set_ThroughAnAlias_LeavesTheOtherPlaceAsItIs()
    {
        const string Text = "a: &shared\n  one: {C: 1}\n  list: [x, y]\nb: *shared\nheads: [softmax: &o {C: 1}, linear-svm: *o]\n";
        var document = YamlDocument.Parse("job.yaml", Text);
        document.Set("b.one.C=2");
        document.Set("b.list.0=z");
        document.Set("heads.1.linear-svm.C=3");
        var (a, b) = (document.Root.Map("a")!, document.Root.Map("b")!);
        Assert.Equal(("1", "2"), (a.Map("one")!.Text("C"), b.Map("one")!.Text("C")));
        Assert.Equal(("x y", "z y"), (string.Join(' ', a.Texts("list")), string.Join(' ', b.Texts("list"))));
        Assert.Equal("1", document.Root.List("heads")[0].Map.Map("softmax")!.Text("C"));
        Assert.Equal("3", document.Root.List("heads")[1].Map.Map("linear-svm")!.Text("C"));
    }

    [Fact]
    public void Set_BelowASection_LeavesLinesOfTheFileAsTheyAre()
    {
        var document = YamlDocument.Parse("job.yaml", "model: a\nevaluation:\n  folds: 3\n  fold: 4\n");
        document.Set("evaluation.repeats=2");
        var evaluation = document.Root.Map("evaluation")!;
        _ = (evaluation.Text("folds"), evaluation.Text("repeats"));
        Assert.StartsWith("job.yaml:4: unknown key 'evaluation.fold'", Assert.Throws<BadInputException>(evaluation.RejectUnknown).Message);
        var other = YamlDocument.Parse("job.yaml", "model: a\nevaluatoin:\n  folds: 3\n");
        other.Set("evaluatoin.folds=5");
        var root = other.Root;
        root.Text("model");
        Assert.StartsWith("job.yaml:2: unknown key 'evaluatoin'", Assert.Throws<BadInputException>(root.RejectUnknown).Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("~")]
    [InlineData("null")]
    [InlineData("{}")]
    public void Set_BelowNothing_MakesASection(string nothing)
    {
        var document = YamlDocument.Parse("job.yaml", $"evaluation: {nothing}\n");
        document.Set("evaluation.folds=5");
        Assert.Equal(5, document.Root.Map("evaluation")!.Integer("folds", 10, NumberRange.All));
    }

    [Fact]
    public void Set_ToNothing_IsTheDefault()
    {
        var document = YamlDocument.Parse("job.yaml", "report: report.html\n");
        document.Set("report=");
        Assert.Null(document.Root.Text("report"));
    }

    [Fact]
    public void Set_HeadByNameAlone_GetsOptionsAndTheListGrows()
    {
        var document = YamlDocument.Parse("job.yaml", "heads: [softmax]\n");
        document.Set("heads.0.softmax.C=1");
        document.Set("heads.1=ridge");
        var heads = document.Root.List("heads");
        Assert.Equal("1", heads[0].Map.Map("softmax")!.Text("C"));
        Assert.Equal("ridge", heads[1].Text);
    }

    [Fact]
    public void Set_WrongValue_IsBlamedOnTheAssignmentAndNotOnTheFile()
    {
        var document = YamlDocument.Parse("job.yaml", "evaluation: {folds: 3}\nmodel: a\n");
        document.Set("evaluation.folds=many");
        document.Set("evaluation.repeat=2");
        document.Set("modl=b");
        var evaluation = document.Root.Map("evaluation")!;
        Assert.Equal(
            "--set 'evaluation.folds=many': evaluation.folds is 'many', expected a whole number",
            Assert.Throws<BadInputException>(() => evaluation.Integer("folds", 10, NumberRange.All)).Message
        );
        Assert.Equal(
            "--set 'evaluation.repeat=2': unknown key 'evaluation.repeat' (known here: folds)",
            Assert.Throws<BadInputException>(evaluation.RejectUnknown).Message
        );
    }

    [Fact]
    public void Read_NotUtf8_SaysSoAndOtherwiseMarksAndLineEndsDoNotMatter()
    {
        using var folder = new TempFolder();
        var error = Assert.Throws<BadInputException>(() =>
            YamlDocument.Read(folder.Write("latin.yaml", [.. "name: caf"u8, 0xE9, (byte)'\n']))
        );
        Assert.EndsWith("latin.yaml: is not text in UTF-8; save it as UTF-8", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<BadInputException>(() =>
            YamlDocument.Read(folder.Write("utf16.yaml", System.Text.Encoding.Unicode.GetBytes("name: a\n")))
        );
        Assert.EndsWith("utf16.yaml: is not text in UTF-8; save it as UTF-8", error.Message, StringComparison.Ordinal);
        var marked = YamlDocument.Read(folder.Write("marked.yaml", [0xEF, 0xBB, 0xBF, .. "name: café\r\nseed: 3\r\n"u8])).Root;
        Assert.Equal(("café", 3), (marked.Text("name"), marked.Integer("seed", 0, NumberRange.All)));
    }

    [Fact]
    public void Read_AnotherKindOfFile_IsNamed()
    {
        using var folder = new TempFolder();
        var file = folder.Write("photo.jpg", [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, .. "JFIF"u8]);
        var error = Assert.Throws<BadInputException>(() => YamlDocument.Read(file));
        Assert.Equal($"{file} is a JPEG photo; expected a pipeline in YAML", error.Message);
    }

    [Fact]
    public void Read_AFileThatCannotBeRead_IsWrongInput()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("needs Linux");
        var error = Assert.Throws<BadInputException>(() => YamlDocument.Read("/proc/self/mem"));
        Assert.StartsWith("/proc/self/mem: cannot be read: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_AMergeKey_IsRefused()
    {
        var error = Assert.Throws<BadInputException>(() =>
            YamlDocument.Parse("job.yaml", "heads:\n- softmax: &a {C: 2}\n- logistic: {<<: *a}\n")
        );
        Assert.Equal(
            "job.yaml:3: not valid YAML: the merge key '<<' is not supported; write out the keys that it stands for",
            error.Message
        );
        Assert.Equal("<<", YamlDocument.Parse("job.yaml", "name: '<<'\n").Root.Text("name"));
    }

    [Theory]
    [InlineData("~")]
    [InlineData("null")]
    [InlineData("")]
    public void Text_OfNothing_IsTheFallback(string nothing) =>
        Assert.Equal("fallback", YamlDocument.Parse("job.yaml", $"report: {nothing}\n").Root.Text("report", "fallback"));

    [Theory]
    [InlineData("True", true)]
    [InlineData("yes", true)]
    [InlineData("OFF", false)]
    public void Flag_AsYamlAndPythonWriteIt_IsRead(string text, bool expected) =>
        Assert.Equal(expected, YamlDocument.Parse("job.yaml", $"summary: {text}\n").Root.Flag("summary", !expected));

    [Theory]
    [InlineData("model", "--set 'model' is not of the form a.b=value")]
    [InlineData("model.name=x", "--set 'model.name=x': 'model' is a plain value in job.yaml, not a mapping")]
    [InlineData("heads.3=x", "--set 'heads.3=x': '3' is not a position in a list of 1")]
    [InlineData("heads.0.ridge.alpha=1", "--set 'heads.0.ridge.alpha=1': 'ridge' lies below 'softmax', a plain value")]
    public void Set_WrongPath_IsRefused(string assignment, string message) =>
        Assert.Equal(
            message,
            Assert.Throws<UsageException>(() => YamlDocument.Parse("job.yaml", "model: a\nheads: [softmax]\n").Set(assignment)).Message
        );

    /// <summary>Each level of nodes was a call on the stack, whose overflow no handler sees.</summary>
    [Theory]
    [InlineData("{a: ", "}")]
    [InlineData("[", "]")]
    public void Parse_DeepNesting_IsRefused(string open, string close)
    {
        static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));
        Assert.NotNull(YamlDocument.Parse("job.yaml", "x: 1\nreport: " + Repeat(open, 90) + "1" + Repeat(close, 90)));
        Assert.Equal(
            "job.yaml:2: not valid YAML: mappings and lists are nested in more than 100 levels",
            Assert
                .Throws<BadInputException>(() =>
                    YamlDocument.Parse("job.yaml", "x: 1\nreport: " + Repeat(open, 30_000) + "1" + Repeat(close, 30_000))
                )
                .Message
        );
    }

    [Theory]
    [InlineData("", "job.yaml: is empty; expected a mapping with the keys data, model and heads")]
    [InlineData("a: 1\n---\nb: 2\n", "job.yaml:3: a second document begins, expected one pipeline per file")]
    [InlineData(
        "data:\n\tpath: x\n",
        "job.yaml:2: not valid YAML: While scanning a mapping, found invalid tab as indentation; indent with spaces"
    )]
    [InlineData("a: 1\nb: &x 2\nc: [*x, *nope]\n", "job.yaml:3: not valid YAML: '*nope' has no '&nope' before it")]
    [InlineData("a: 1\nb: &x [1, {c: *x}]\n", "job.yaml:2: not valid YAML: '*x' lies inside of what it stands for")]
    [InlineData(
        "data:\n  path: x\n   kind: y\n",
        "job.yaml:3: not valid YAML: this line is indented by 3 spaces; expected 0 or 2, as the lines above it"
    )]
    [InlineData(
        " name: x\ndata:\n  path: p\n",
        "job.yaml:1: not valid YAML: this line is indented by 1 space, and line 2 by 0 spaces: keys of one level begin in the same column"
    )]
    [InlineData(
        "model: a\ndata: {path: \"C:\\photos\"}\n",
        "job.yaml:2: not valid YAML: a backslash between double quotes begins an escape such as \\n; put the text in single quotes, or "
            + "write \\\\"
    )]
    [InlineData(
        "data: {path: \"C:\\xyz\"}\n",
        "job.yaml:1: not valid YAML: a backslash between double quotes begins an escape such as \\n; put the text in single quotes, or "
            + "write \\\\"
    )]
    [InlineData(
        "data:\n\u00a0\u00a0path: x\n",
        "job.yaml:2: not valid YAML: this line is indented by the character U+00A0, which only looks like a space; indent with spaces"
    )]
    [InlineData("name: x\nmodel:resnet18\ndata: {path: p}\n", "job.yaml:2: not valid YAML: after 'model:' a space is missing")]
    [InlineData("name: x\ndata:\n  path:p\n  kind: csv\n", "job.yaml:3: not valid YAML: after 'path:' a space is missing")]
    [InlineData("heads:\n- ridge\n-softmax\n", "job.yaml:3: not valid YAML: after '-' a space is missing")]
    [InlineData("model: a\ndata: {path: p\n", "job.yaml:2: not valid YAML: '{' is not closed; expected '}'")]
    [InlineData("data: {path: p\nmodel: a\nheads: [ridge]\n", "job.yaml:1: not valid YAML: '{' is not closed; expected '}'")]
    [InlineData("model: a\nheads: [ridge\ndata:\n  path: p\n", "job.yaml:2: not valid YAML: '[' is not closed; expected ']'")]
    [InlineData("heads: [softmax: {C: 1], ridge}\n", "job.yaml:1: not valid YAML: found ']', expected '}' to close the '{' of line 1")]
    [InlineData(
        "data:\n  path: p\n model: a\n",
        "job.yaml:3: not valid YAML: this line is indented by 1 space; expected 0 or 2, as the lines above it"
    )]
    [InlineData(
        "data: path: p\n",
        "job.yaml:1: not valid YAML: 'data' and 'path' are on one line: put the second on the next line, indented, or write data: {path: "
            + "...}"
    )]
    [InlineData(
        "heads:\n- softmax: {}\n   C: 1\n",
        "job.yaml:3: not valid YAML: this line is indented by 3 spaces; expected 0 or 2, as the lines above it"
    )]
    [InlineData("model: @a\n", "job.yaml:1: not valid YAML: a value cannot begin with '@': put it in quotes")]
    [InlineData(
        "data:\n  path: \"p\nmodel: x\n",
        "job.yaml:2: not valid YAML: the quote that begins here is not closed, or its other lines are not indented"
    )]
    [InlineData(
        "model:resnet18\n",
        "job.yaml:1: found 'model:resnet18', expected a mapping with the keys data, model and heads (after 'model:' a space is missing)"
    )]
    [InlineData("- a\n- b\n", "job.yaml:1: found a list, expected a mapping with the keys data, model and heads")]
    public void Parse_NotAMapping_IsRefused(string text, string message) =>
        Assert.Equal(message, Assert.Throws<BadInputException>(() => YamlDocument.Parse("job.yaml", text)).Message);
}
