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
            Throw.BadInput($"{file}: {(Directory.Exists(file) ? "is a folder" : "no such file")}; expected an ONNX model");
        // A device or a pipe has no length either; reading would block or never end.
        if (new FileInfo(RealFile(file)).Length == 0)
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
                $"{file}: not an ONNX model ({e.Message.TrimEnd('.').ReplaceLineEndings(" ")}); expected a protobuf file as "
                    + $"torch.onnx.export writes it",
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
                continue;
            var (location, offset, length) = TensorData.Location(tensor);
            // SkeletonReader made this reference itself; it lies inside the file by construction.
            if (location == own)
                continue;
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
            // The specification: without a length the data reach to the end of the file.
            length = length < 0 ? info.Length - offset : length;
            if (offset < 0 || length < 0 || offset + length > info.Length)
                Throw.BadInput(
                    $"{path}: {info.Length} bytes, but tensor '{tensor.Name}' of {Path.GetFileName(file)} ends at byte "
                        + $"{offset + length}; the file is truncated or not this model's"
                );
            TensorData.SetLocation(tensor, RealFile(path), offset, length);
            files.Add(path);
        }

        return [.. files];
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
