using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace TransferPipeline.Platform;

/// <summary>What is called of the C library on Linux and macOS, beside what .NET offers.</summary>
[UnsupportedOSPlatform("windows")]
internal static unsafe partial class LibC
{
    /// <summary>Of open(2); the same on Linux and macOS.</summary>
    public const int ReadOnly = 0;

    /// <summary>Of access(2) on Linux and macOS: W_OK, X_OK, and the error EACCES.</summary>
    public const int MayWrite = 2;
    public const int MaySearch = 1;
    public const int NoRight = 13;

    /// <summary>Bytes of Linux' struct statx, and more than macOS' struct stat has.</summary>
    public const int StatusBytes = 256;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    /// <summary>Sets what native libraries read; .NET's own setter changes a copy of the environment.</summary>
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetEnvironmentVariable(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "unsetenv", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int RemoveEnvironmentVariable(string name);

    /// <summary>Ends the process without exit handlers.</summary>
    [LibraryImport("libc", EntryPoint = "_exit")]
    public static partial void ExitNow(int code);

    /// <summary>Of glibc alone.</summary>
    [SupportedOSPlatform("linux")]
    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    public static partial int TrimHeap(nuint pad);

    /// <summary>Of glibc alone.</summary>
    [SupportedOSPlatform("linux")]
    [LibraryImport("libc", EntryPoint = "mallopt")]
    public static partial int SetHeapOption(int option, int value);

    /// <summary>statx(2) has one layout on all processors (linux/stat.h); stat(2) has not.</summary>
    [SupportedOSPlatform("linux")]
    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int StatX(int folder, string path, int flags, uint wanted, byte* status);

    /// <summary>stat(2) with 64-bit file numbers: the only one on Arm, under another name on x64.</summary>
    [SupportedOSPlatform("macos")]
    public static int Stat(string path, byte* status) =>
        RuntimeInformation.ProcessArchitecture == Architecture.X64 ? StatOnX64(path, status) : StatOnArm64(path, status);

    [SupportedOSPlatform("macos")]
    [LibraryImport("libc", EntryPoint = "stat$INODE64", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatOnX64(string path, byte* status);

    [SupportedOSPlatform("macos")]
    [LibraryImport("libc", EntryPoint = "stat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatOnArm64(string path, byte* status);
}
