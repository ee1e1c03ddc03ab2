using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

public sealed class CifarDatasetTests : IDisposable
{
    private const int PixelBytes = 3 * 32 * 32;
    private static readonly string[] Names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("train.bin", 100, "test")]
    [InlineData("test_batch.bin", 10, "data_batch_1 data_batch_2 data_batch_3 data_batch_4 data_batch_5")]
    public void Open_FolderWithOneFileOfSeveral_NamesTheMissingOnes(string file, int classes, string missing)
    {
        var path = _folder.Write(file, new byte[classes == 10 ? 3073 : 3074]);
        if (classes == 100)
            _folder.Write("fine_label_names.txt", string.Join('\n', Enumerable.Range(0, 100).Select(i => $"class {i}")));
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal(
            missing.Split(' '),
            data.Problems.Where(p => p.Problem == "the file is not there; its photos are missing").Select(p => p.Path)
        );
        using var alone = DatasetReader.Open(new DatasetOptions { Path = path });
        Assert.DoesNotContain(alone.Problems, p => p.Problem.Contains("its photos are missing"));
    }

    [Fact]
    public void Open_Cifar10_GivesPhotosAsPpm()
    {
        var batches = Enumerable.Range(1, 2).Select(b => Write10($"cifar-10-batches-bin/data_batch_{b}.bin", 20, b)).ToList();
        Write10("cifar-10-batches-bin/test_batch.bin", 10, 9);
        _folder.Write("cifar-10-batches-bin/batches.meta.txt", string.Join('\n', Names) + "\n\n");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });

        Assert.Equal(Names, data.Classes);
        Assert.Equal(40, data.Entries.Count(e => e.Split == Splits.Train));
        Assert.Equal(10, data.Entries.Count(e => e.Split == Splits.Test));
        Assert.Equal(new PhotoEntry("data_batch_2.bin#00003", "cat", Splits.Train), data.Entries[23]);

        var buffer = Array.Empty<byte>();
        var length = data.Read(23, ref buffer);
        var record = batches[1].AsSpan(3 * (1 + PixelBytes) + 1, PixelBytes);
        Assert.Equal(data.Stamp(23).Bytes, length);
        Assert.Equal("P6\n32 32\n255\n"u8, buffer.AsSpan(0, 13));
        for (var i = 0; i < 1024; i++)
        {
            for (var channel = 0; channel < 3; channel++)
                Assert.Equal(record[channel * 1024 + i], buffer[13 + 3 * i + channel]);
        }
    }

    [Fact]
    public void Open_Cifar100_TakesTheFineLabel()
    {
        var names = Enumerable.Range(0, 100).Select(i => $"fine{i:d2}").ToArray();
        foreach (var (file, count) in new[] { ("train.bin", 200), ("test.bin", 100) })
            _folder.Write(
                file,
                [.. Enumerable.Range(0, count).SelectMany(i => new byte[] { (byte)(i % 20), (byte)(i % 100) }.Concat(new byte[PixelBytes]))]
            );
        _folder.Write("fine_label_names.txt", string.Join('\n', names));
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root, TestAsValidation = true });

        Assert.Equal(names, data.Classes);
        Assert.Equal(200, data.Entries.Count(e => e.Split == Splits.Train));
        Assert.Equal(100, data.Entries.Count(e => e.Split == Splits.Validation));
        Assert.Equal("fine42", data.Entries[142].Label);
    }

    [Fact]
    public void Open_WithoutNames_CallsClassesByNumber()
    {
        Write10("data_batch_1.bin", 20, 1);
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.At("data_batch_1.bin") });
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i}"), data.Classes);
        Assert.Contains(data.Problems, p => p.Path == "batches.meta.txt");
    }

    [Theory]
    [InlineData(-1, "has 15,364 bytes, expected a multiple of 3,073")]
    [InlineData(1, "has 15,366 bytes, expected a multiple of 3,073")]
    [InlineData(-3073 * 5, "is empty, or a pipe or device; expected CIFAR's binary form")]
    public void Open_FileOfAWrongLength_SaysSo(int change, string expected)
    {
        var whole = Write10("data_batch_1.bin", 5, 1);
        var file = _folder.Write("data_batch_1.bin", [.. whole.Concat(new byte[1]).Take(whole.Length + change)]);
        var error = Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = _folder.Root }));
        Assert.StartsWith($"{file} {expected}", error.Message);
    }

    [Fact]
    public void Open_LabelOutOfRange_NamesThePhoto()
    {
        var bytes = Write10("data_batch_1.bin", 5, 1);
        bytes[2 * 3073] = 10;
        _folder.Write("data_batch_1.bin", bytes);
        var error = Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = _folder.Root }));
        Assert.Contains("photo 2 has label 10, expected 0 to 9", error.Message);
    }

    [Fact]
    public void Open_FolderWithoutCifar_SaysWhatIsExpected()
    {
        var error = Assert.Throws<BadInputException>(() =>
            DatasetReader.Open(new DatasetOptions { Path = _folder.Root, Kind = DatasetKind.Cifar100 })
        );
        Assert.Contains("expected train.bin and test.bin", error.Message);
    }

    private byte[] Write10(string name, int count, int seed)
    {
        var bytes = new byte[count * (1 + PixelBytes)];
        new Random(seed).NextBytes(bytes);
        for (var i = 0; i < count; i++)
            bytes[i * (1 + PixelBytes)] = (byte)(i % 10);
        _folder.Write(name, bytes);
        return bytes;
    }
}
