using System.Diagnostics;
using System.Text;
using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

/// <summary>CIFAR's Python version: pickles that NumPy wrote, and pickles that must not be trusted.</summary>
public sealed class CifarPythonTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>As Python 3 writes them: protocol 2 has no bytes and stores them as texts in Latin-1.</summary>
    [Theory]
    [InlineData(2, "[int(i) % 10 for i in range(20)]")]
    [InlineData(3, "[int(i) % 10 for i in range(20)]")]
    [InlineData(4, "[int(i) % 10 for i in range(20)]")]
    [InlineData(5, "[int(i) % 10 for i in range(20)]")]
    [InlineData(2, "numpy.arange(20) % 10")]
    [InlineData(4, "(numpy.arange(20) % 10).astype(numpy.uint8)")]
    [InlineData(5, "(numpy.arange(20) % 10).astype(numpy.int32)")]
    [InlineData(2, "list(numpy.arange(20) % 10)")]
    [InlineData(4, "list(numpy.arange(20) % 10)")]
    public void PicklesOfNumPy_GiveThePhotosOfTheBinaryVersion(int protocol, string labels)
    {
        Python(
            $$"""
            import numpy, pickle, os
            random = numpy.random.RandomState(1)
            os.makedirs("py"); os.makedirs("bin")
            for name in ["data_batch_1", "data_batch_2", "test_batch"]:
                pixels = random.randint(0, 256, (20, 3072)).astype(numpy.uint8)
                labels = {{labels}}
                names = ["a_%d.png" % i for i in range(20)]
                batch = {"batch_label": "x", "labels": labels, "data": pixels, "filenames": names}
                pickle.dump(batch, open("py/" + name, "wb"), {{protocol}})
                rows = [bytes([int(label)]) + row.tobytes() for label, row in zip(labels, pixels)]
                open("bin/" + name + ".bin", "wb").write(b"".join(rows))
            names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
            pickle.dump({"label_names": names, "num_vis": 3072}, open("py/batches.meta", "wb"), {{protocol}})
            open("bin/batches.meta.txt", "w").write("\n".join(names))
            """
        );
        using var python = DatasetReader.Open(new DatasetOptions { Path = _folder.At("py") });
        using var binary = DatasetReader.Open(new DatasetOptions { Path = _folder.At("bin") });
        Assert.Equal("CIFAR-10, Python version", python.Form);
        Assert.Equal(binary.Classes, python.Classes);
        Assert.Equal(60, python.Entries.Count);
        for (var i = 0; i < 60; i++)
        {
            Assert.Equal(
                (binary.Entries[i].Path.Replace(".bin", ""), binary.Entries[i].Label, binary.Entries[i].Split),
                (python.Entries[i].Path, python.Entries[i].Label, python.Entries[i].Split)
            );
            Assert.Equal(binary.Bytes(i), python.Bytes(i));
        }

        Assert.Equal(3, python.Problems.Count(p => p.Problem == "the file is not there; its photos are missing"));
    }

    [Theory]
    [InlineData("train", "test")]
    [InlineData("test", "train")]
    public void OneFileOfCifar100_IsEnough(string there, string missing)
    {
        _folder.Write(there, Python2(3, 1, "fine_labels"));
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal([$"{there}#00000"], data.Entries.Select(e => e.Path));
        Assert.Contains(data.Problems, p => p.Path == missing && p.Problem == "the file is not there; its photos are missing");
    }

    [Fact]
    public void PickleOfPython2_IsRead()
    {
        _folder.Write("cifar-10-batches-py/data_batch_1", Python2(3, 2));
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal([("data_batch_1#00000", "3"), ("data_batch_1#00001", "3")], data.Entries.Select(e => (e.Path, e.Label)));
        Assert.Equal((byte)7, data.Bytes(1)[13]);
    }

    [Theory]
    [InlineData("cos\nsystem\n(S'touch here'\ntR.", "it refers to os.system, which CIFAR's files do not; do not trust this file")]
    [InlineData("\u008c\u0002os\u008c\u0006system\u0093.", "it refers to os.system")]
    [InlineData("cbuiltins\neval\n.", "it refers to builtins.eval")]
    [InlineData("}.", "it has no array 'data' of N x 3,072 bytes")]
    [InlineData("]", "it breaks off or is damaged")]
    [InlineData("K", "it breaks off or is damaged")]
    [InlineData("T\u00ff\u00ff\u00ff\u00ff.", "it breaks off or is damaged")]
    [InlineData("t.", "it breaks off or is damaged")]
    [InlineData("i.", "operation 0x69 at byte 2 is not one that CIFAR's files have")]
    public void PickleOfAnotherContent_IsRefusedInOneLine(string content, string expected)
    {
        var file = _folder.Write("data_batch_1", [0x80, 2, .. Encoding.Latin1.GetBytes(content)]);
        var error = Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = file }));
        Assert.StartsWith($"{file} is not whole as the Python version of CIFAR-10 (a pickle): {expected}", error.Message);
        Assert.False(File.Exists("here"));
    }

    /// <summary>The first bytes of {"labels": [0]} in both.</summary>
    [Theory]
    [InlineData("(dp0\nVlabels\np1\n(lp2\nI0\nas.")]
    [InlineData("}q\u0000X\u0006\u0000\u0000\u0000labelsq\u0001]q\u0002I0\nas.")]
    public void PickleOfProtocol0Or1_IsRefusedByItsName(string content)
    {
        _folder.Write("data_batch_1", Encoding.Latin1.GetBytes(content));
        Assert.Contains(
            "it is a pickle of protocol 0 or 1, or none; expected protocol 2 to 5, as pickle.dump writes with protocol=2",
            Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = _folder.Root })).Message
        );
    }

    [Fact]
    public void Pickle_CutOrChangedAnywhere_NeverDoesMoreThanRefuse()
    {
        var whole = Python2(3, 1);
        var random = new Random(5);
        for (var i = 0; i < 2000; i++)
        {
            var bytes = i < 200 ? whole[..(i * whole.Length / 200)] : (byte[])whole.Clone();
            if (i >= 200)
                bytes[random.Next(Math.Min(bytes.Length, 400))] = (byte)random.Next(256);
            try
            {
                Pickle.Read(bytes);
            }
            catch (InvalidDataException) { }
        }
    }

    /// <summary>What cPickle of Python 2 writes for the published batches.</summary>
    private static byte[] Python2(byte label, byte count, string key = "labels")
    {
        var pixels = Enumerable.Repeat((byte)7, count * 3072).ToArray();
        return
        [
            0x80,
            2,
            .. "}q\u0001(U"u8,
            (byte)key.Length,
            .. Encoding.ASCII.GetBytes(key),
            .. "q\u0002]q\u0003("u8,
            .. Enumerable.Repeat(new byte[] { (byte)'K', label }, count).SelectMany(b => b),
            .. "eU\u0004dataq\u0004cnumpy.core.multiarray\n_reconstruct\nq\u0005cnumpy\nndarray\nq\u0006K\u0000"u8,
            0x85,
            .. "q\u0007U\u0001bq\u0008"u8,
            0x87,
            .. "q\u0009Rq\u000a(K\u0001K"u8,
            count,
            .. "M\u0000\u000c"u8,
            0x86,
            .. "q\u000bcnumpy\ndtype\nq\u000cU\u0002u1q\rK\u0000K\u0001"u8,
            0x87,
            .. "q\u000eRq\u000f(K\u0003U\u0001|q\u0010NNNJ"u8,
            255,
            255,
            255,
            255,
            (byte)'J',
            255,
            255,
            255,
            255,
            .. "K\u0000tq\u0011b"u8,
            0x89,
            (byte)'T',
            .. BitConverter.GetBytes(pixels.Length),
            .. pixels,
            .. "q\u0012tq\u0013bu."u8,
        ];
    }

    private void Python(string script)
    {
        using var process = Start("/usr/bin/python3", script);
        if (process is null)
            Assert.Skip("needs Python with NumPy");
        var error = process.StandardError.ReadToEnd();
        process.WaitToEnd();
        Assert.SkipWhen(error.Contains("No module named", StringComparison.Ordinal), "needs NumPy");
        Assert.True(process.ExitCode == 0, error);
    }

    private Process? Start(string program, string script) =>
        File.Exists(program)
            ? Process.Start(
                new ProcessStartInfo(program)
                {
                    WorkingDirectory = _folder.Root,
                    ArgumentList = { "-c", script },
                    RedirectStandardError = true,
                }
            )
            : null;
}
