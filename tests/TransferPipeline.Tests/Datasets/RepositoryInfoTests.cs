using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

/// <summary>Class names and numbers of rows that a Hugging Face repository states beside its Parquet files.</summary>
public sealed class RepositoryInfoTests : IDisposable
{
    private const string FromIt = "class names are taken from it, since the Parquet files hold numbers alone";

    private const string Readme = """
        ---
        license: mit
        dataset_info:
          features:
          - name: image
            dtype: image
          - name: label
            dtype:
              class_label:
                names:
                  '0': cat
                  '1': dog
          splits:
          - name: train
            num_bytes: 4.0
            num_examples: 4
        ---
        # Photos
        """;

    private const string Info =
        """{"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}, "splits": {"train": {"num_examples": 4}}}""";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("README.md", Readme)]
    [InlineData("dataset_infos.json", $$"""{"default": {{Info}}}""")]
    [InlineData("dataset_info.json", Info)]
    public void Names_OfNumbersInFiles_AreThoseOfTheRepository(string file, string text)
    {
        Numbers("data/train-00000-of-00001.parquet", 0, 1, 1, 0);
        _folder.Write(file, text);
        foreach (var path in new[] { _folder.Root, _folder.At("data"), _folder.At("data/train-00000-of-00001.parquet") })
        {
            using var data = Open(path);
            Assert.Equal(["cat", "dog", "dog", "cat"], data.Entries.Select(e => e.Label));
            Assert.Equal([$"{file}: {FromIt}"], data.Problems.Select(p => p.ToString()));
        }
    }

    /// <summary>Texts may be names, so that those of the repository are not put in their place.</summary>
    [Fact]
    public void Names_OfNumbersThatAreTexts_AreNotUsed_WithALine()
    {
        TypedParquet.Write(_folder.At("train.parquet"), Images(4), TypedParquet.Text("label", "0", "1", "1", "0"));
        _folder.Write("README.md", Readme);
        using var data = Open(_folder.Root);
        Assert.Equal(["0", "1"], data.Classes);
        Assert.Equal(
            ["train.parquet: its labels are numbers and it holds no names for them: classes are called by their numbers"],
            data.Problems.Select(p => p.ToString())
        );
    }

    [Fact]
    public void Names_InTheFiles_ComeFirst()
    {
        HuggingFaceFiles.Write(_folder.At("train.parquet"), ["dog", "cat"], Images(4), TypedParquet.Int64("label", 0, 1, 1, 0));
        _folder.Write("README.md", Readme);
        using var data = Open(_folder.Root);
        Assert.Equal(["dog", "cat", "cat", "dog"], data.Entries.Select(e => e.Label));
        Assert.Equal(
            ["README.md: its class names differ from those in the Parquet files, which are taken (train.parquet)"],
            data.Problems.Select(p => p.ToString())
        );
    }

    [Theory]
    [InlineData("en/train.parquet", "b, a")]
    [InlineData("fr/train.parquet", "a, b")]
    [InlineData("train.parquet", "0, 1")]
    public void Names_OfSeveralConfigurations_AreThoseOfTheOneThatIsRead(string file, string expected)
    {
        Numbers(file, 0, 1);
        _folder.Write(
            "README.md",
            """
            ---
            dataset_info:
            - config_name: en
              features:
              - {name: label, dtype: {class_label: {names: {0: b, 1: a}}}}
            - config_name: fr
              features:
              - {name: label, dtype: {class_label: {names: [a, b]}}}
            ---
            """
        );
        using var data = Open(_folder.Root);
        Assert.Equal(expected, string.Join(", ", data.Entries.Select(e => e.Label)));
        Assert.Equal(expected == "0, 1", data.Problems.Any(p => p.Problem.Contains("classes are called by their numbers")));
    }

    /// <summary>A name is missing, occurs twice, or there is no JSON.</summary>
    [Theory]
    [InlineData(
        "README.md",
        "---\ndataset_info:\n  features:\n  - {name: label, dtype: {class_label: {names: {0: a, 2: b}}}}\n---\n",
        null
    )]
    [InlineData("README.md", "---\ndataset_info:\n  features:\n  - {name: label, dtype: {class_label: {names: [a, a]}}}\n---\n", "'a'")]
    [InlineData("README.md", "---\ndataset_info: 3\n---\n", null)]
    [InlineData("dataset_infos.json", "{", null)]
    [InlineData("dataset_infos.json", "[1]", null)]
    [InlineData("dataset_infos.json", "{\"default\": {\"features\": {\"label\": {\"names\": \"ab\"}}}}", null)]
    public void Names_ThatAreDamaged_AreNotUsed(string file, string text, string? refused)
    {
        Numbers("train.parquet", 0, 1);
        _folder.Write(file, text);
        if (refused is not null)
        {
            Assert.StartsWith(
                $"{file}: column 'label': the name {refused}",
                Assert.Throws<BadInputException>(() => Open(_folder.Root)).Message
            );
            return;
        }

        using var data = Open(_folder.Root);
        Assert.Equal(["0", "1"], data.Classes);
        Assert.Equal(text == "{", data.Problems.Any(p => p.Problem.StartsWith("not read: it is not JSON")));
    }

    [Theory]
    [InlineData(3, "it states 4 rows in split train, and the files have 3: a file may be missing")]
    [InlineData(4, null)]
    [InlineData(6, "it states 4 rows in split train, and the files have 6: a file may be of another version")]
    public void Rows_ThatDifferFromThoseStated_AreNamed(int rows, string? expected)
    {
        Numbers("train.parquet", [.. Enumerable.Range(0, rows).Select(i => (long?)(i % 2))]);
        _folder.Write("README.md", Readme);
        using (var data = Open(_folder.Root))
            Assert.Equal(
                expected is null ? [] : [expected],
                data.Problems.Where(p => p.Problem != FromIt && !p.Problem.Contains("no photo in split")).Select(p => p.Problem)
            );
        // One file that is given may be one of several.
        using var alone = Open(_folder.At("train.parquet"));
        Assert.DoesNotContain(alone.Problems, p => p.Problem.Contains("states"));
    }

    [Fact]
    public void Rows_OfASplitWithoutFiles_AreNamed()
    {
        Numbers("test.parquet", 0, 1);
        _folder.Write("README.md", Readme);
        using var data = Open(_folder.Root);
        Assert.Contains(data.Problems, p => p.Problem.StartsWith("it states 4 rows in split train, and the files have 0"));
    }

    private static Dataset Open(string path) =>
        DatasetReader.Open(new DatasetOptions { Path = path, ValidationShare = 0 }, TestTable.Photos());

    private static TypedColumn Images(int count) =>
        TypedParquet.Images("image", [.. Enumerable.Range(0, count).Select(i => ((byte[]?, string?)?)(new byte[] { (byte)i }, null))]);

    private void Numbers(string file, params long?[] labels) =>
        TypedParquet.Write(_folder.At(file), Images(labels.Length), TypedParquet.Int64("label", labels));
}
