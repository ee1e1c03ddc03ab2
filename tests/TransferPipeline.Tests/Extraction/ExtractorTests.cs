using TransferPipeline.Backbones;
using TransferPipeline.Cli.Bench;
using TransferPipeline.Datasets;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Tests.Backbones;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Extraction;

public sealed class ExtractorTests : IDisposable
{
    private readonly TestExtraction _extraction = new(3);

    public void Dispose() => _extraction.Dispose();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 100)]
    [InlineData(3, 5)]
    [InlineData(7, 2)]
    public void Run_WhateverTheThreadsAndParts_GivesTheSameVectors(int workers, int rowsPerPart)
    {
        _extraction.Options = new() { Workers = 2, RowsPerPart = 4 };
        _extraction.Run();
        var expected = _extraction.Load();
        Directory.Delete(_extraction.Set, true);
        _extraction.Options = new() { Workers = workers, RowsPerPart = rowsPerPart };
        var result = _extraction.Run();
        Assert.Equal(12, result.Computed);
        Assert.Equal((12 + rowsPerPart - 1) / rowsPerPart, _extraction.Open().Manifest.Parts.Count);
        TestExtraction.AssertSame(expected, _extraction.Load());
        Assert.Equal(
            _extraction.OpenDataset().Entries.Select(e => (e.Path, e.Label, e.Split)),
            expected.Rows.Select(r => (r.Path, r.Label, r.Split))
        );
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void Run_WhereAllVectorsAreTheSame_StatesIt(float factor, bool isConstant)
    {
        using var folder = new TempFolder();
        var m = new SmallModel(17, "input", DataType.Float, -1, 3, 224, 224);
        var vector = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        m.Output(m.Gemm(m.Node("Mul", vector, m.Scalar(factor)), 8, SmallModel.Classes));
        _extraction.Model = m.Save(folder);
        Assert.Equal(12, _extraction.Run().Computed);
        var message = "all 12 vectors computed are the same";
        Assert.Equal(isConstant, _extraction.Messages.Exists(t => t.Contains(message, StringComparison.Ordinal)));
    }

    [Fact]
    public void Run_WithBadPhotos_RecordsThemAndGoesOn()
    {
        var folder = Path.Combine(_extraction.Photos, "train", "dress");
        File.WriteAllBytes(Path.Combine(folder, "empty.jpg"), []);
        File.WriteAllText(Path.Combine(folder, "text.jpg"), "not a photo");
        File.Copy(Path.Combine(folder, "text.jpg"), Path.Combine(_extraction.Photos, "validation", "hat", "0.jpg"));
        _extraction.Options = _extraction.Options with { MaxFailedShare = 0.5 };
        var result = _extraction.Run();
        Assert.Equal((12, 3), (result.Computed, result.Failed));
        var set = _extraction.Open();
        Assert.Equal(["train/dress/empty.jpg", "train/dress/text.jpg", "validation/hat/0.jpg"], set.LoadFailed().Select(f => f.Path));
        Assert.All(set.LoadFailed(), f => Assert.NotEqual("", f.Reason));
        Assert.Equal(12, set.Load().Rows.Count);
        Assert.Empty(set.Verify().Problems);

        // Unchanged, they are not tried again; replaced by photos, they are.
        var files = _extraction.Files();
        Assert.Equal(
            (0, 12, 3, 0),
            (_extraction.Run() is var again ? again.Computed : -1, again.Reused, again.Failed, _extraction.Decoder.Count)
        );
        Assert.Equal(files, _extraction.Files());
        File.Copy(Directory.GetFiles(Path.Combine(_extraction.Photos, "train", "hat"))[0], Path.Combine(folder, "text.jpg"), true);
        File.Delete(Path.Combine(_extraction.Photos, "validation", "hat", "0.jpg"));
        Assert.Equal((0, 13, 1), (_extraction.Run() is var third ? third.Computed : -1, third.Reused, third.Failed));
        File.Delete(Path.Combine(folder, "empty.jpg"));
        Assert.Equal(0, _extraction.Run().Failed);
        Assert.DoesNotContain("failed.parquet", _extraction.Files().Keys);
    }

    [Fact]
    public void Run_WithTooManyBadPhotos_FailsAtItsEndAndKeepsTheOthers()
    {
        File.WriteAllText(Path.Combine(_extraction.Photos, "train", "dress", "broken.jpg"), "no");
        for (var run = 0; run < 2; run++)
        {
            var error = Assert.Throws<JobFailedException>(() => _extraction.Run());
            Assert.Contains("1 of 13 photos could not be used", error.Message, StringComparison.Ordinal);
            Assert.Contains("train/dress/broken.jpg", error.Message, StringComparison.Ordinal);
            Assert.Equal(12, _extraction.Load().Rows.Count);
        }
    }

    [Fact]
    public void Run_Cancelled_KeepsWhatWasDone()
    {
        using var source = new CancellationTokenSource();
        _extraction.Decoder.Before = count =>
        {
            if (count == 7)
                source.Cancel();
        };
        using (var dataset = _extraction.OpenDataset())
            Assert.ThrowsAny<OperationCanceledException>(() => Extractor.Run(_extraction.Job(dataset), _extraction.Options, source.Token));
        var set = _extraction.Open();
        Assert.False(set.Manifest.Complete);
        Assert.InRange(set.Rows, 8, 9);
        Assert.Contains("interrupted", Assert.Single(set.Verify().Problems), StringComparison.Ordinal);

        _extraction.Decoder.Before = _ => { };
        var kept = set.Rows;
        Assert.Equal(12 - kept, _extraction.Run().Computed);
        var resumed = _extraction.Load();
        Assert.True(_extraction.Open().Manifest.Complete);
        Directory.Delete(_extraction.Set, true);
        _extraction.Run();
        TestExtraction.AssertSame(_extraction.Load(), resumed);
    }

    [Fact]
    public void Run_WhoseProgressThrows_EndsItsWorkersAndTellsTheError()
    {
        using var dataset = _extraction.OpenDataset();
        var options = _extraction.Options with { Progress = new Broken() };
        Assert.Equal(
            "a broken display",
            Assert.Throws<InvalidOperationException>(() => _extraction.Run(_extraction.Job(dataset), options)).Message
        );

        // The lock is free, and what was done is whole.
        Assert.Equal(12, _extraction.Run() is var again ? again.Computed + again.Reused : -1);
        Assert.Empty(_extraction.Open().Verify().Problems);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Run_WhoseDecoderFailsUnexpectedly_TellsThatErrorAndKeepsWhatWasDone(int workers)
    {
        _extraction.Options = _extraction.Options with { Workers = workers };
        _extraction.Decoder.Before = photo => _ = photo == 5 ? throw new InvalidOperationException("a broken decoder") : photo;
        Assert.Equal("a broken decoder", Assert.Throws<InvalidOperationException>(() => _extraction.Run()).Message);
        Assert.InRange(_extraction.Open().Rows, 3, 11);
        Assert.False(_extraction.Open().Manifest.Complete);

        _extraction.Decoder.Before = static _ => { };
        Assert.Equal(12, _extraction.Run() is var again ? again.Computed + again.Reused : -1);
        Assert.InRange(_extraction.Decoder.Count, 1, 9);
        Assert.Empty(_extraction.Open().Verify().Problems);
    }

    [Fact]
    public void Benchmark_WithPhotosThatCannotBeRead_PassesOverThem()
    {
        using var dataset = _extraction.OpenDataset();
        File.Delete(Path.Combine(_extraction.Photos, dataset.Entries[3].Path));
        var result = ExtractionBenchmark.Run(
            _extraction.Job(dataset),
            8,
            _extraction.At("scratch"),
            _extraction.Options,
            rounds: 1,
            TestContext.Current.CancellationToken
        );
        Assert.Equal((8, 2), (result.Photos, result.Threads));
        Assert.True(result.Decode > result.Achieved);
    }

    [Fact]
    public void Run_WithSeveralCuts_MakesASetOfEachInOnePass()
    {
        using var dataset = _extraction.OpenDataset();
        CutRequest[] cuts =
        [
            CutRequest.Default,
            new(CutRequest.Features, new Pooling(PoolingKind.Avg)),
            new(CutRequest.Features, Pooling.Parse("adaptive:2x2")),
        ];
        var results = Extractor.Run(_extraction.Job(dataset, cuts), _extraction.Options, TestContext.Current.CancellationToken);
        Assert.Equal([1280, 1280, 5120], results.Select(r => r.Dimension));
        Assert.Equal([12, 12, 12], results.Select(r => r.Computed));
        Assert.Equal(12, _extraction.Decoder.Count);
        var data = results.Select(r => FeatureSet.Open(r.Folder, _extraction.Table).Load()).ToList();
        // The backbone's own tail averages the last map.
        for (var i = 0; i < 12; i++)
            Assert.InRange(
                System.Numerics.Tensors.TensorPrimitives.CosineSimilarity<float>(data[0].X.Row(i), data[1].X.Row(i)),
                0.999999f,
                1.000001f
            );

        Directory.Delete(results[1].Folder, true);
        Assert.Equal(
            [0, 12, 0],
            Extractor
                .Run(_extraction.Job(dataset, cuts), _extraction.Options, TestContext.Current.CancellationToken)
                .Select(r => r.Computed)
        );
    }

    [Fact]
    public void Run_WithViews_DecodesEachTrainingPhotoOnce()
    {
        using var dataset = _extraction.OpenDataset();
        var renderer = new FlipRenderer(_extraction.Preprocessing);
        var job = _extraction.Job(dataset) with
        {
            Views = new()
            {
                Count = 2,
                Description = "flip",
                CreateRenderer = () => renderer,
            },
        };
        var result = _extraction.Run(job, new() { Workers = 1, RowsPerPart = 5 });
        // Six training photos with two views each, which may take any part of them, and six validation photos without.
        Assert.Equal((24, 12, 6), (result.Computed, _extraction.Decoder.Count, _extraction.Decoder.Whole));
        var data = FeatureSet.Open(result.Folder, _extraction.Table).Load();
        Assert.Equal([0, 1, 2, 0, 1, 2], data.Rows.Take(6).Select(r => r.View));
        Assert.Equal(6, data.RowsOf(Splits.Train).Length);
        Assert.Equal(18, data.RowsOf(Splits.Train, views: true).Length);
        Assert.False(data.X.Row(0).SequenceEqual(data.X.Row(1)));
        Assert.Equal((0, 24), (_extraction.Run(job, _extraction.Options) is var again ? again.Computed : -1, again.Reused));
    }

    [Fact]
    public void Run_WithPreprocessingOfAnotherSize_IsAUsageError()
    {
        _extraction.Preprocessing = _extraction.Preprocessing with { CropHeight = 192, CropWidth = 192 };
        var error = Assert.Throws<UsageException>(() => _extraction.Run());
        Assert.Contains("192 x 192", error.Message, StringComparison.Ordinal);
        Assert.Contains("224 x 224", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_IntoAFolderWithOtherFiles_LeavesThemAlone()
    {
        Directory.CreateDirectory(_extraction.Set);
        var file = Path.Combine(_extraction.Set, "part-00000.parquet");
        File.WriteAllText(file, "mine");
        var error = Assert.Throws<BadInputException>(() => _extraction.Run());
        Assert.Contains("is not empty (part-00000.parquet)", error.Message, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(file));
        Assert.Equal([file], Directory.GetFiles(_extraction.Set));
    }

    [Fact]
    public void Run_IntoAFolderThatCannotBeMade_FailsWithOneLine()
    {
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset) with { Outputs = [new(CutRequest.Default, "/proc/features")] };
        var error = Assert.Throws<JobFailedException>(() => _extraction.Run(job, _extraction.Options));
        Assert.StartsWith("/proc/features cannot be written", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Run_WhenTheDiskIsFull_KeepsWhatWasCommitted()
    {
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset) with { Table = new FullDisk(_extraction.Table, parts: 2) };
        var error = Assert.Throws<JobFailedException>(() => _extraction.Run(job, _extraction.Options));
        Assert.Contains("No space left", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal(6, _extraction.Open().Rows);
        Assert.Equal(6, _extraction.Run().Computed);
        Assert.Equal(12, _extraction.Load().Rows.Count);
    }

    [Fact]
    public void Run_ReportsProgressUpToTheEnd()
    {
        var seen = new List<ExtractionProgress>();
        _extraction.Options = _extraction.Options with { Progress = new ListProgress(seen) };
        _extraction.Run();
        Assert.Equal((12, 12), (seen[^1].Done, seen[^1].Total));
        Assert.True(seen.Zip(seen.Skip(1)).All(p => p.First.Done <= p.Second.Done));
        var shares = seen[^1].Shares;
        Assert.Equal(1, shares.Read + shares.Decode + shares.Preprocess + shares.Infer + shares.Write, 6);
    }

    private sealed class ListProgress(List<ExtractionProgress> seen) : IProgress<ExtractionProgress>
    {
        public void Report(ExtractionProgress value) => seen.Add(value);
    }

    private sealed class Broken : IProgress<ExtractionProgress>
    {
        public void Report(ExtractionProgress value) => throw new InvalidOperationException("a broken display");
    }

    /// <summary>Every view mirrored, view 2 upside down too.</summary>
    private sealed class FlipRenderer(Preprocessing preprocessing) : IViewRenderer
    {
        private readonly Preprocessor _preprocessor = new(preprocessing);

        public void Render(RgbImage photo, string imageSha256, int view, Span<float> destination, TensorLayout layout)
        {
            _preprocessor.Run(photo, destination, layout);
            if (view == 2)
                destination.Reverse();
            for (var row = 0; row < destination.Length; row += 224)
                destination.Slice(row, 224).Reverse();
        }

        public void RenderBytes(RgbImage photo, string imageSha256, int view, Span<byte> destination) =>
            throw new InvalidOperationException("the CPU takes normalized views");
    }

    /// <summary>Writes a number of parts, then half a part and no more.</summary>
    private sealed class FullDisk(IFeatureTable table, int parts) : IFeatureTable
    {
        private int _written;

        public string Name => table.Name;

        public void Write(string file, IReadOnlyList<FeatureRow> rows, FeatureMatrix vectors)
        {
            table.Write(file, rows, vectors);
            if (_written++ < parts)
                return;
            using var stream = File.OpenWrite(file);
            stream.SetLength(stream.Length / 2);
            throw new IOException("No space left on device");
        }

        public void WriteFailed(string file, IReadOnlyList<FailedRow> rows) => table.WriteFailed(file, rows);

        public List<FeatureRow> ReadRows(string file) => table.ReadRows(file);

        public List<FailedRow> ReadFailed(string file) => table.ReadFailed(file);

        public int ReadVectors(string file, FeatureMatrix destination, int firstRow) => table.ReadVectors(file, destination, firstRow);

        public List<(string Label, string Split)> ReadLabels(string file) => table.ReadLabels(file);

        public int ReadBlocks(string file, FeatureMatrix block, int filled, Action full) => table.ReadBlocks(file, block, filled, full);
    }
}
