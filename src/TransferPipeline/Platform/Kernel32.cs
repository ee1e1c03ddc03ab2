using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace TransferPipeline.Platform;

/// <summary>What is called of Windows, beside what .NET offers.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe partial class Kernel32
{
    /// <summary>FILE_INFO_BY_HANDLE_CLASS of <see cref="BasicInfo"/>.</summary>
    public const int FileBasicInfo = 0;

    /// <summary>Times in units of 100 ns since 1601 UTC; the last one changes with every change of the file, its times included.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct BasicInfo
    {
        public long CreationTime,
            LastAccessTime,
            LastWriteTime,
            ChangeTime;
        public uint Attributes;
    }

    /// <summary>BY_HANDLE_FILE_INFORMATION, whose fields are all of 32 bits.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct FileInformation
    {
        public uint Attributes;
        public fixed uint Times[6];
        public uint VolumeSerialNumber,
            SizeHigh,
            SizeLow,
            Links,
            IndexHigh,
            IndexLow;
    }

    [LibraryImport("kernel32", EntryPoint = "GetFileInformationByHandle")]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool GetFileInformation(SafeFileHandle file, out FileInformation information);

    [LibraryImport("kernel32", EntryPoint = "GetFileInformationByHandleEx")]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool GetFileInformation(SafeFileHandle file, int kind, out BasicInfo information, int bytes);

    [LibraryImport("kernel32", EntryPoint = "GetCurrentProcess")]
    public static partial nint CurrentProcess();

    /// <summary>Ends a process without exit handlers.</summary>
    [LibraryImport("kernel32", EntryPoint = "TerminateProcess")]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool TerminateProcess(nint process, uint code);
}
