using TransferPipeline.Platform;

namespace TransferPipeline.Tests.Platform;

public sealed class NativeLibrariesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Problem_LibraryOfTheSystem_IsNone() =>
        Assert.Null(NativeLibraries.Problem("libc.so.6", typeof(NativeLibrariesTests).Assembly));

    [Fact]
    public void Problem_LibraryThatIsNowhere_SaysSo() =>
        Assert.Equal("lib_not_there is not there", NativeLibraries.Problem("lib_not_there", typeof(NativeLibrariesTests).Assembly));

    [Fact]
    public void Problem_FileThatIsNoLibrary_TellsTheLoadersReason()
    {
        var file = _folder.Write(
            "libbroken.so",
            "this is text, and long enough for the loader to read a header from it: " + new string('-', 200)
        );
        Assert.Equal($"{file}: invalid ELF header", NativeLibraries.Problem(file, typeof(NativeLibrariesTests).Assembly));
    }

    [Fact]
    public void Absent_NamesTheFirstFileThatIsInNoFolder()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("file names are those of Linux");
        var (first, second) = (Directory.CreateDirectory(_folder.At("a")).FullName, Directory.CreateDirectory(_folder.At("b")).FullName);
        _folder.Write("a/libone.so", "");
        _folder.Write("b/libtwo.so", "");
        Assert.Null(NativeLibraries.Absent(["one", "two"], [first, second]));
        Assert.Equal("libtwo.so", NativeLibraries.Absent(["one", "two", "three"], [first]));
    }
}
