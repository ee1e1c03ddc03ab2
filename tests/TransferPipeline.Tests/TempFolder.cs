using System.Diagnostics;

namespace TransferPipeline.Tests;

/// <summary>A folder of its own for one test; gone afterwards.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("transfer-test-").FullName;

    /// <summary>A path below the folder; its parent folders are made.</summary>
    public string At(params string[] parts)
    {
        var path = Path.Combine([Root, .. parts]);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    public string Write(string path, string text)
    {
        var file = At(path);
        File.WriteAllText(file, text);
        return file;
    }

    public string Write(string path, byte[] bytes)
    {
        var file = At(path);
        File.WriteAllBytes(file, bytes);
        return file;
    }

    /// <summary>A named pipe that nobody writes to: who opens it waits for ever.</summary>
    public string Pipe(string path)
    {
        UnixTools.Require();
        var file = At(path);
        using var make = Process.Start("mkfifo", [file]);
        make.WaitToEnd();
        return file;
    }

    public void Dispose()
    {
        if (Directory.Exists(Root))
            Directory.Delete(Root, recursive: true);
    }
}
