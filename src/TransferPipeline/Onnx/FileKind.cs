using System.Text;

namespace TransferPipeline.Onnx;

/// <summary>
/// Recognizes files that users give in the place of an ONNX model, so that the error states what the file is and how to get a model.
/// </summary>
internal static class FileKind
{
    private const string FromTensorFlow = "convert it to ONNX with 'python -m tf2onnx.convert'",
        FromCoreMl = "convert the network that it was made from to ONNX",
        FromPaddle = "convert it to ONNX with paddle2onnx",
        FromMxNet = "convert it to ONNX with mxnet.onnx.export_model";

    /// <summary>Bytes at the beginning that are checked.</summary>
    private const int Head = 4096;

    /// <returns>What the file is and what to do; null when nothing speaks against ONNX.</returns>
    public static string? Describe(string file)
    {
        var buffer = new byte[Head];
        using var handle = File.OpenHandle(file);
        // Every check below respects the length: a short file gives a short head.
        var head = buffer.AsSpan(0, RandomAccess.Read(handle, buffer, 0));
        return Binary(file, head) ?? Protobuf(head) ?? Text(file, head);
    }

    /// <returns>What a folder holds and what to do; null when that shows nothing.</returns>
    public static string? DescribeFolder(string folder)
    {
        if (File.Exists(Path.Combine(folder, "saved_model.pb")))
            return $"is a TensorFlow SavedModel; {FromTensorFlow}";
        if (Path.GetExtension(folder.TrimEnd('/', '\\')) == ".mlpackage")
            return $"is a Core ML package; {FromCoreMl}";
        // Publishers put the ONNX files into a folder onnx.
        var files = new[] { folder, Path.Combine(folder, "onnx") }
            .Where(Directory.Exists)
            .SelectMany(f => Directory.EnumerateFiles(f, "*.onnx"))
            .Order(StringComparer.Ordinal)
            .ToList();
        return files.Count == 0 ? null : $"is a folder; give one of its files: {FewNames.Of(files, most: 3)}";
    }

    /// <summary>Files that begin as other messages of protobuf than ONNX's, whose first field is a number.</summary>
    private static string? Protobuf(ReadOnlySpan<byte> head)
    {
        if (head.Length < 16)
            return null;
        if (head[0] == 0x0A)
        {
            // A message or a text of this length, then its own first bytes.
            var body = Behind(head, 1);
            return body.StartsWith((ReadOnlySpan<byte>)[0x08, 0x00, 0x10, 0xFF]) ? $"is a PaddlePaddle model; {FromPaddle}"
                : body.StartsWith((ReadOnlySpan<byte>)[0x0A]) ? $"is a TensorFlow graph; {FromTensorFlow}"
                : null;
        }

        // A version, then a message: ONNX has the name of its producer there, which is text.
        if (head[0] == 0x08 && head[1] < 0x80 && head[2] == 0x12 && Behind(head, 3).StartsWith((ReadOnlySpan<byte>)[0x0A]))
            return head.IndexOf("\x22\x05serve"u8) >= 0
                ? $"is a TensorFlow SavedModel; {FromTensorFlow}"
                : $"is a Core ML model; {FromCoreMl}";
        return null;
    }

    /// <summary>What follows a length of variable size.</summary>
    private static ReadOnlySpan<byte> Behind(ReadOnlySpan<byte> head, int at)
    {
        while (at < head.Length - 1 && head[at] >= 0x80)
            at++;
        return head[(at + 1)..];
    }

    private static string? Binary(string file, ReadOnlySpan<byte> head)
    {
        // FlatBuffers have their identifier behind the 4 bytes of the root's offset.
        if (head.Length > 8 && head[4..8].SequenceEqual("TFL3"u8))
            return "is a TensorFlow Lite model; convert it to ONNX, as with 'python -m tf2onnx.convert --tflite FILE --output model.onnx'";
        if (head.Length > 8 && head[4..8].SequenceEqual("ORTM"u8))
            return "is a model in ONNX Runtime's own format (.ort); use the .onnx file that it was made from";
        // The second form is an archive without entries, which begins with its end record.
        if (head.StartsWith(FileSignatures.Zip) || head.StartsWith("PK\x05\x06"u8))
            return Archive(file);
        if (head.StartsWith(FileSignatures.Hdf5))
            return "is an HDF5 file, as Keras writes weights; load it in Keras and convert it with tf2onnx";
        // PROTO (0x80) and the protocol's version, then an opcode with which dictionaries, lists, globals or frames begin. The third byte
        // is checked since a protobuf file could begin with the first two.
        if (
            head.Length > 2
            && head[0] == 0x80
            && head[1] is >= 2 and <= 5
            && (head[2] is (byte)'}' or (byte)']' or (byte)'c' or 0x8a or 0x95 or (byte)'.' or (byte)'X' or (byte)'(')
        )
            return "is a Python pickle, as torch.save wrote it before PyTorch 1.6; load it in Python and export it with torch.onnx.export";
        // 8 bytes, little-endian, give the length of the JSON header that follows.
        if (
            head.Length > 10
            && head[8] == '{'
            && BitConverter.ToUInt64(head) is > 1 and < 100_000_000
            && head[9] is (byte)'"' or (byte)' ' or (byte)'}'
        )
            return "is a safetensors file, which holds weights and no network; export the model with torch.onnx.export or optimum-cli";
        if (head.StartsWith("MATLAB "u8))
            return "is a MATLAB file; export the network with exportONNXNetwork";
        if (head.StartsWith("ftrt"u8) || head.StartsWith("ptrt"u8))
            return "is a TensorRT engine, which runs on one kind of GPU alone; use the ONNX file that it was made from";
        // The magic of lists of arrays, as 8 bytes.
        if (head.StartsWith((ReadOnlySpan<byte>)[0x12, 0x01, 0, 0, 0, 0, 0, 0]))
            return $"holds parameters of MXNet and no network; {FromMxNet}";
        // Two versions and no levels, then the length and the type of the first tensor.
        if (head.Length > 24 && head[..16].IndexOfAnyExcept((byte)0) < 0 && head[18..20].IndexOfAnyExcept((byte)0) < 0 && head[20] == 0x08)
            return $"holds parameters of PaddlePaddle and no network; {FromPaddle}";
        if (head.StartsWith("GGUF"u8))
            return "is a GGUF file, which holds weights for llama.cpp; export the model with torch.onnx.export";
        if (head.StartsWith(FileSignatures.Gzip))
            return "is compressed with gzip; unpack it first";
        if (
            head.StartsWith(FileSignatures.Bzip2)
            || head.StartsWith(FileSignatures.Xz)
            || head.StartsWith(FileSignatures.SevenZip)
            || head.StartsWith(FileSignatures.Zstandard)
        )
            return "is a compressed archive; unpack it first";
        if (FileSignatures.IsTar(head))
            return "is a tar archive; unpack it first";
        if (head.StartsWith(FileSignatures.NumPy))
            return "is a NumPy array; expected an ONNX model";
        if (head.StartsWith(FileSignatures.Jpeg) || head.StartsWith(FileSignatures.PngName))
            return "is a photo; expected an ONNX model";
        return null;
    }

    /// <summary>PyTorch's and Keras's files are zip archives; their first entries show which.</summary>
    private static string Archive(string file)
    {
        try
        {
            using var zip = System.IO.Compression.ZipFile.OpenRead(file);
            // Enough to see the kind. An archive of photos may have a million entries.
            var names = zip.Entries.Take(2000).Select(e => e.FullName).ToList();
            if (names.FirstOrDefault(n => n.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)) is { } inner)
                return $"is a zip archive with '{inner}' in it; unpack it first";
            // TorchScript comes before the checkpoint: it has a data.pkl as well.
            if (names.Any(n => n.Contains("/code/", StringComparison.Ordinal)))
                return "is a TorchScript model; export the PyTorch model with torch.onnx.export";
            if (names.Any(n => n.EndsWith("data.pkl", StringComparison.Ordinal)))
                return "is a PyTorch checkpoint; load it in Python and export it with torch.onnx.export";
            if (names.Contains("config.json") && names.Any(n => n.EndsWith(".h5", StringComparison.Ordinal)))
                return "is a Keras model; convert it to ONNX with tf2onnx";
            if (
                names.Any(n =>
                    n.StartsWith("TransformerChain/", StringComparison.Ordinal) || n.EndsWith("/Model.key", StringComparison.Ordinal)
                )
            )
                return "is an ML.NET model; save it with ConvertToOnnx";
        }
        catch (InvalidDataException)
        {
            // A torn archive; its name identifies PyTorch's below.
            var head = new byte[Head];
            using var handle = File.OpenHandle(file);
            if (head.AsSpan(0, RandomAccess.Read(handle, head, 0)).IndexOf("data.pkl"u8) >= 0)
                return "is a (damaged) PyTorch checkpoint; load it in Python and export it with torch.onnx.export";
        }

        return "is a zip archive; expected an ONNX model: unpack it first";
    }

    private static string? Text(string file, ReadOnlySpan<byte> head)
    {
        // A zero byte shows that this is no text.
        if (head.IndexOf((byte)0) >= 0)
            return null;
        if (head.Length < 1024 && head.IndexOfAnyInRange((byte)0, (byte)31) < 0 && head.IndexOf((byte)'/') >= 0)
        {
            // Git and some copies write a symbolic link as a file that holds its target's path.
            var target = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, Encoding.UTF8.GetString(head));
            if (File.Exists(target))
                return $"is a symbolic link that was copied as text; use the file that it names, {Path.GetFullPath(target)}, or copy "
                    + $"the folder with its links (cp -a, rsync -l)";
        }

        // Editors of Windows put a byte-order mark in front.
        var text = Encoding.UTF8.GetString(head).TrimStart('\uFEFF', ' ', '\t', '\r', '\n');
        if (text.StartsWith("version https://git-lfs", StringComparison.Ordinal))
            return "is a Git LFS pointer, not the model itself; run 'git lfs pull' in its repository, or download the file";
        if (
            text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<head", StringComparison.OrdinalIgnoreCase)
        )
            return "is a web page, not a model: the download brought a sign-in or error page; download it again, by the file's own address";
        if (text.StartsWith("<?xml", StringComparison.Ordinal) || text.StartsWith("<net", StringComparison.Ordinal))
            return text.Contains("<net", StringComparison.Ordinal)
                ? "is an OpenVINO model; use the ONNX file that it was made from"
                : "is an XML file; expected an ONNX model";
        if (text.StartsWith('{') || text.StartsWith("[{", StringComparison.Ordinal))
            return text.Contains("\"op\": \"null\"", StringComparison.Ordinal) ? $"is the network of an MXNet model; {FromMxNet}"
                : text.Contains("\"magic\":\"pir\"", StringComparison.Ordinal) ? $"is a PaddlePaddle model; {FromPaddle}"
                : "is a JSON file; expected an ONNX model";
        if (
            text.StartsWith("ir_version:", StringComparison.Ordinal)
            || text.StartsWith("<", StringComparison.Ordinal) && text.Contains("ir_version:", StringComparison.Ordinal)
        )
            return "is an ONNX model written as text; save it in the binary form, as with onnx.save";
        // 7767517 is the magic in the first line of ncnn's .param files.
        if (text.Contains("layer {", StringComparison.Ordinal) || text.StartsWith("7767517", StringComparison.Ordinal))
            return "is the text of a Caffe or ncnn network; convert the network to ONNX";
        return null;
    }
}
