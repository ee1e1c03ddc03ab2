using System.Text.Json.Nodes;
using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Jobs;
using TransferPipeline.Tests.Cli;
using TransferPipeline.Tests.Extraction;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.Features;

/// <summary>
/// Each value of a manifest replaced by others that JSON allows: what reads the set reports it in one line, or does not
/// use the value.
/// </summary>
public sealed class DamagedManifestTests : IDisposable
{
    private static readonly string[] Replacements =
    [
        "null",
        "-4",
        "2147483591",
        "9223372036854775807",
        "\"\"",
        "\"0+2147483647\"",
        "[null]",
        "{}",
    ];

    private readonly TestExtraction _extraction = new(1);

    public void Dispose() => _extraction.Dispose();

    [Fact]
    public void EveryReader_OfAChangedValue_RefusesItInOneLineOrReadsTheSet()
    {
        // A list of failed photos too, which has numbers of its own.
        File.WriteAllText(Path.Combine(_extraction.Photos, "train", "hat", "broken.jpg"), "no photo");
        _extraction.Options = _extraction.Options with { MaxFailedShare = 1 };
        _extraction.Run();
        var whole = Directory.GetFiles(_extraction.Set).ToDictionary(file => file, File.ReadAllBytes);
        var text = File.ReadAllText(Path.Combine(_extraction.Set, FeatureManifest.FileName));
        var places = Places(JsonNode.Parse(text)!).ToList();
        Assert.True(places.Count > 40);
        foreach (var place in places)
        {
            foreach (var replacement in Replacements)
            {
                var what = $"{place} is {replacement}";
                foreach (var (file, bytes) in whole)
                    File.WriteAllBytes(file, bytes);
                File.WriteAllText(Path.Combine(_extraction.Set, FeatureManifest.FileName), Replaced(text, place, replacement));
                Try(what, () => FeatureSet.Open(_extraction.Set, _extraction.Table).Verify());
                Try(what, () => FeatureSet.Open(_extraction.Set, _extraction.Table).LoadRows());
                Try(what, () => FeatureSet.Open(_extraction.Set, _extraction.Table).Load());
                Try(what, () => FeatureSet.Open(_extraction.Set, _extraction.Table).Export(ExportFormat.Npy, _extraction.At("npy", "x")));
                Try(what, Merge);
                Try(what, () => _extraction.Run());
            }
        }
    }

    [Fact]
    public void Open_AShardOfAnotherForm_IsRefused()
    {
        _extraction.Options = _extraction.Options with { Shard = new(1, 2) };
        Change("$.shard", "\"5/4\"");
        Assert.Contains(
            "manifest.json is damaged: its shard is '5/4', expected a form such as 2/8",
            Assert.Throws<BadInputException>(_extraction.Open).Message,
            StringComparison.Ordinal
        );
    }

    /// <summary>Rows that no split or no class has would be left out in silence.</summary>
    [Theory]
    [InlineData("cat", "train", "has the label 'cat', which its manifest does not list")]
    [InlineData("dog", "dev", "is in split 'dev', expected train, validation or test")]
    public void EveryReader_OfALabelOrSplitThatIsNone_NamesThePhoto(string label, string split, string problem)
    {
        var photos = SyntheticFeatureSet.Photos(4, ["cow", "dog"], "train", "validation");
        var folder = SyntheticFeatureSet.Write(_extraction.At("synthetic"), [.. photos, (label, split)]);
        var manifest = Path.Combine(folder, FeatureManifest.FileName);
        File.WriteAllText(manifest, Replaced(File.ReadAllText(manifest), "$.classes", "[\"cow\",\"dog\"]"));
        var set = FeatureSet.Open(folder, _extraction.Table);
        var expected = $"{folder}: photo {split}/{label}/0016.jpg {problem}; extract again from the photos";
        Refuses(() => set.Load());
        Refuses(() => set.LoadRows());
        Refuses(() => set.Verify());
        Refuses(() => set.Export(ExportFormat.Npy, _extraction.At("npy", "x")));
        Refuses(() => TuningPhotos.Of(set, new()));
        expected = $"{folder}: a photo {problem}; extract again from the photos";
        Refuses(() => StreamedTraining.Run(set, _extraction.Table, new Softmax(), _extraction.At("."), new()));

        void Refuses(Action read) => Assert.Equal(expected, Assert.Throws<BadInputException>(read).Message);
    }

    [Fact]
    public void Open_ActivationsOfFinetune_IsNotCalledDamaged()
    {
        Change("$.parts[0].file", "\"part-00000.f16\"");
        var error = Assert.Throws<BadInputException>(() => FeatureSet.Open(_extraction.Set, _extraction.Table));
        Assert.Equal(
            $"{_extraction.Set} holds activations of 'transfer finetune', not vectors; name a feature set that 'transfer extract' made",
            error.Message
        );
        Assert.Single(FeatureSet.List(_extraction.Set, _extraction.Table));
    }

    [Theory]
    [InlineData("$.parts[0].rows", "-4", "part-00000.parquet has -4 rows in ")]
    [InlineData("$.dimension", "0", "its vectors have 0 values, expected at least 1")]
    [InlineData("$.dimension", "-3", "its vectors have -3 values, expected at least 1")]
    [InlineData("$.parts[1].bytes", "9223372036854775807", "part-00001.parquet has 1 rows in 9223372036854775807 bytes, which no")]
    [InlineData(
        "$.parts[0].file",
        "\"../part-00000.parquet\"",
        "it names the file '../part-00000.parquet', expected a name without folders"
    )]
    [InlineData("$.parts[1].file", "\"part-00000.parquet\"", "part-00000.parquet is listed twice")]
    [InlineData("$.classes[1]", "\"dress\"", "class 'dress' is listed twice")]
    public void Open_NumbersAndNamesThatMakeNoSense_AreRefused(string place, string value, string problem)
    {
        Change(place, value);
        var error = Assert.Throws<BadInputException>(_extraction.Open);
        Assert.StartsWith(
            $"{Path.Combine(_extraction.Set, "manifest.json")} is damaged: {problem}",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(
        "$.parts[0].rows",
        "2147483000",
        "it says 2147483000 vectors of 1280 values, the part has 3 vectors and 3840 values in all"
    )]
    [InlineData("$.dimension", "1281", "it says 3 vectors of 1281 values, the part has 3 vectors and 3840 values in all")]
    [InlineData("$.dimension", "2147483591", "it says 3 vectors of 2147483591 values, the part has 3 vectors and 3840 values in all")]
    public void Load_NumbersThatThePartsDoNotHave_NamesBoth(string place, string value, string problem)
    {
        Change(place, value);
        foreach (var read in (Action[])[() => _extraction.Load(), () => _extraction.Open().Verify(), Merge])
        {
            var error = Assert.Throws<BadInputException>(read);
            Assert.Equal(
                $"{Path.Combine(_extraction.Set, "manifest.json")} does not fit part-00000.parquet: {problem}; delete the folder and "
                    + $"extract again",
                error.Message
            );
        }
    }

    [Fact]
    public void Run_OnASetWhoseNextNumberIsTaken_ReplacesNoPart()
    {
        Change("$.next_part", "0");
        File.WriteAllBytes(
            Path.Combine(_extraction.Photos, "train", "hat", "new.jpg"),
            File.ReadAllBytes(Path.Combine(SharedData.Repository, "tests/TransferPipeline.Tests/Images/Formats/rgb-420.jpg"))
        );
        Assert.Equal((1, 4), (_extraction.Run() is var run ? run.Computed : -1, run.Reused));
        Assert.Empty(_extraction.Open().Verify().Problems);
    }

    private void Change(string place, string value)
    {
        _extraction.Run();
        var file = Path.Combine(_extraction.Set, FeatureManifest.FileName);
        File.WriteAllText(file, Replaced(File.ReadAllText(file), place, value));
    }

    private void Merge()
    {
        var merged = _extraction.At("merged");
        if (Directory.Exists(merged))
            Directory.Delete(merged, recursive: true);
        FeatureSets.Merge([_extraction.Set], merged, _extraction.Table, cancellation: TestContext.Current.CancellationToken);
    }

    private static IEnumerable<string> Places(JsonNode node) =>
        node switch
        {
            JsonObject map => map.SelectMany(p => p.Value is null ? [] : Places(p.Value)).Append(map.GetPath()),
            JsonArray list => list.SelectMany(v => v is null ? [] : Places(v)).Append(list.GetPath()),
            _ => [node.GetPath()],
        };

    private static string Replaced(string manifest, string place, string value)
    {
        var root = JsonNode.Parse(manifest)!;
        var node = Find(root, place);
        if (node.Parent is null)
            return value;
        node.ReplaceWith(JsonNode.Parse(value));
        return root.ToJsonString();
    }

    private static JsonNode Find(JsonNode node, string place) =>
        node.GetPath() == place
            ? node
            : (node is JsonObject map ? map.Select(p => p.Value) : (JsonArray)node)
                .OfType<JsonNode>()
                .Where(n =>
                    n.GetPath() is var path
                    && place.StartsWith(path, StringComparison.Ordinal)
                    && place[path.Length..] is "" or ['.' or '[', ..]
                )
                .Select(n => Find(n, place))
                .Single();

    private static void Try(string what, Action read)
    {
        try
        {
            read();
        }
        catch (TransferException e)
        {
            Assert.False(e.Message.Contains('\n'), $"{what}: {e.Message}");
        }
        catch (Exception e)
        {
            Assert.Fail($"{what}: {e}");
        }
    }
}
