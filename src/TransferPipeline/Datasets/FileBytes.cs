using Microsoft.Win32.SafeHandles;

namespace TransferPipeline.Datasets;

/// <summary>Reads a stretch of a file without a stream.</summary>
internal static class FileBytes
{
    /// <summary>
    /// Reads <paramref name="length"/> bytes from <paramref name="offset"/> into <paramref name="buffer"/>, which grows when it must.
    /// </summary>
    /// <returns>The number of bytes read: fewer than requested when the file ends before.</returns>
    public static int Read(SafeFileHandle handle, long offset, long length, string name, ref byte[] buffer)
    {
        MakeRoom(length, name, ref buffer);
        var read = 0;
        // One read may bring fewer bytes than requested before the file ends (pread(2)).
        while (read < length)
        {
            var count = RandomAccess.Read(handle, buffer.AsSpan(read, (int)length - read), offset + read);
            if (count == 0)
                break;
            read += count;
        }

        return read;
    }

    /// <summary>Refuses a file that has no length: it is empty, or a pipe or device, whose opening or reading might never end.</summary>
    /// <exception cref="BadInputException">It has none.</exception>
    public static void RequireSome(string file, string expected)
    {
        if (Length(file) == 0)
            throw new BadInputException($"{file} is empty, or a pipe or device; expected {expected}");
    }

    /// <summary>Length of a file, or of what a link leads to; 0 for pipes and devices.</summary>
    public static long Length(string file) => Real(file).Length;

    /// <summary>The file that a path leads to: sizes and times of a link are its own, and stay when the file changes.</summary>
    public static FileInfo Real(string path)
    {
        var file = new FileInfo(path);
        try
        {
            return file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
        }
        catch (IOException)
        {
            // It is not there, or links lead to each other.
            return file;
        }
    }

    /// <summary>Grows a buffer to <paramref name="length"/>, somewhat more than needed so that it settles soon.</summary>
    public static void MakeRoom(long length, string name, ref byte[] buffer)
    {
        if (length > Array.MaxLength)
            throw new IOException($"{name} has {length:N0} bytes, more than can be read at once");
        // Not cleared and not copied: what is read next overwrites it.
        if (buffer.Length < length)
            buffer = GC.AllocateUninitializedArray<byte>((int)Math.Min(Array.MaxLength, length + length / 4));
    }
}
