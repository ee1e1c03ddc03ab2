using System.Security.Cryptography;
using Google.Protobuf;
using TransferPipeline.Platform;

namespace TransferPipeline.Onnx;

/// <summary>
/// An ONNX file read without its weights: tensors of more than <see cref="InlineLimit"/> bytes stay in the file and are referred to as
/// ONNX external data (absolute path, offset, length), so that a 550 MB model costs kilobytes until its needed part is loaded.
/// </summary>
internal sealed class OnnxFile
{
    public const int InlineLimit = 1024;

    private readonly Lazy<string> _sha256;

    private OnnxFile(string file, ModelProto model, IReadOnlyList<string> externalFiles)
    {
        (File, Model, ExternalFiles) = (file, model, externalFiles);
        _sha256 = new(ComputeSha256);
    }

    public string File { get; }

    /// <summary>The model; large tensors are external, their location an absolute path.</summary>
    public ModelProto Model { get; }

    /// <summary>Data files beside the model, in ordinal order.</summary>
    public IReadOnlyList<string> ExternalFiles { get; }

    /// <summary>Of the file; with external data, of the hex hashes of the file and of each data file, one per line.</summary>
    public string Sha256 => _sha256.Value;

    /// <exception cref="BadInputException">The file is missing, not ONNX, or its external data are missing.</exception>
    public static OnnxFile Read(string file)
    {
        if (!System.IO.File.Exists(file))
            Throw.BadInput(
                Directory.Exists(file) && InputFile.Read(file, () => FileKind.DescribeFolder(file)) is { } holds
                    ? $"{file}: {holds}"
                    : $"{file}: {(Directory.Exists(file) ? "is a folder" : "no such file")}; expected an ONNX model"
            );
        // A device or a pipe has no length either; reading would block or never end.
        if (InputFile.Read(file, () => new FileInfo(RealFile(file)).Length) == 0)
            Throw.BadInput(
                $"{file}: not an ONNX model (no bytes, or no regular file); expected a protobuf file as torch.onnx.export writes it"
            );
        // Before the parser: protobuf accepts the beginning of many other files and fails with an error that helps nobody.
        if (InputFile.Read(file, () => FileKind.Describe(file)) is { } kind)
            Throw.BadInput($"{file}: not an ONNX model: it {kind}");
        file = Path.GetFullPath(file);
        ModelProto model;
        try
        {
            model = ModelProto.Parser.ParseFrom(SkeletonReader.Read(RealFile(file)));
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidDataException)
        {
            throw new BadInputException(
                $"{file}: not an ONNX model ({Problem(e)}); expected a protobuf file as torch.onnx.export writes it",
                e
            );
        }

        if (model.Graph is null || model.Graph.Node.Count == 0)
            Throw.BadInput(
                $"{file}: not an ONNX model (no graph with nodes in it); expected a protobuf file as torch.onnx.export writes it"
            );
        // Functions first, so that their nodes are put into order with all others.
        LocalFunctions.Inline(file, model);
        TopologicalOrder.Ensure(file, model.Graph);
        return new(file, model, ResolveExternalData(file, model.Graph));
    }

    /// <summary>SHA-256 of one file in lower-case hex.</summary>
    public static string HashFile(string file)
    {
        using var stream = InputFile.Read(
            file,
            () => new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan)
        );
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>
    /// Where a file is; ONNX Runtime maps no file that is a link to another folder, as those of Hugging Face's cache are.
    /// </summary>
    public static string RealFile(string path) => new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;

    private static IReadOnlyList<string> ResolveExternalData(string file, GraphProto graph)
    {
        var files = new SortedSet<string>(StringComparer.Ordinal);
        var (own, folder) = (RealFile(file), Path.GetDirectoryName(file)!);
        foreach (var tensor in TensorData.All(graph))
        {
            if (tensor.DataLocation != TensorProto.Types.DataLocation.External)
            {
                // Other values than raw ones stand in fields of their type.
                if (tensor.RawData.Length > 0)
                    RequireLength(file, tensor, tensor.RawData.Length, Expected(file, tensor));
                continue;
            }

            var (location, offset, length) = Location(file, tensor);
            var expected = Expected(file, tensor);
            // SkeletonReader made this reference itself; it lies inside the file by construction.
            if (location == own)
            {
                RequireLength(file, tensor, length, expected);
                continue;
            }

            var path = Path.GetFullPath(Path.Combine(folder, location));
            // The ONNX specification allows relative paths below the model only. A file that points elsewhere could read any file of the
            // user.
            if (location.Length == 0 || !FileNames.IsInside(folder, path))
                Throw.BadInput(
                    $"{file}: tensor '{tensor.Name}' has its data in '{location}', which is not beside the model; expected a file in "
                        + $"its folder"
                );
            var info = new FileInfo(System.IO.File.Exists(path) ? RealFile(path) : path); // a link's own length is that of its text
            if (!info.Exists)
                Throw.BadInput($"{file}: its data file '{location}' is missing; put it beside the model");
            // Without a length they are as long as type and shape say; only where these are not known, up to the end of the file.
            length = length < 0 ? expected ?? info.Length - offset : length;
            RequireLength(file, tensor, length, expected);
            // Compared without a sum, which hostile numbers would make negative.
            if (length < 0 || length > info.Length - offset)
                Throw.BadInput(
                    $"{path}: {info.Length} bytes, but tensor '{tensor.Name}' of {Path.GetFileName(file)} has {length} from byte {offset} "
                        + $"on; the file is truncated or not this model's"
                );
            TensorData.SetLocation(tensor, RealFile(path), offset, length);
            files.Add(path);
        }

        return [.. files];
    }

    /// <summary>What is wrong with the bytes; protobuf's own messages speak of its wire format.</summary>
    private static string Problem(Exception e) =>
        e is not InvalidProtocolBufferException ? e.Message
        : e.Message.Contains("UTF-8", StringComparison.Ordinal) ? "a name or text in it is not UTF-8"
        : e.Message.Contains("nesting", StringComparison.Ordinal) ? "its subgraphs are nested too deeply"
        : "it is damaged: a field of it has no valid length or type";

    private static (string File, long Offset, long Length) Location(string file, TensorProto tensor)
    {
        try
        {
            return TensorData.Location(tensor);
        }
        catch (FormatException e)
        {
            throw new BadInputException($"{file}: {e.Message}", e);
        }
    }

    private static long? Expected(string file, TensorProto tensor)
    {
        try
        {
            return TensorData.Bytes(tensor);
        }
        catch (OverflowException e)
        {
            throw new BadInputException($"{file}: damaged: tensor '{tensor.Name}' has the shape {string.Join(" x ", tensor.Dims)}", e);
        }
    }

    /// <summary>Shapes are taken from what a file declares, before its values are read: both must say the same.</summary>
    private static void RequireLength(string file, TensorProto tensor, long length, long? expected)
    {
        if (expected is { } bytes && length != bytes)
            Throw.BadInput(
                $"{file}: damaged: tensor '{tensor.Name}' of shape {string.Join(" x ", tensor.Dims)} takes {bytes} bytes, {length} are "
                    + $"there"
            );
    }

    private string ComputeSha256()
    {
        var own = HashFile(File);
        if (ExternalFiles.Count == 0)
            return own;
        var lines = ExternalFiles.Select(HashFile).Prepend(own);
        return Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(string.Join('\n', lines))));
    }
}
