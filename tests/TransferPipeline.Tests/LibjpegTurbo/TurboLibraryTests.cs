using TransferPipeline.LibjpegTurbo;
using TransferPipeline.Platform;

namespace TransferPipeline.Tests.LibjpegTurbo;

/// <summary>Which library is taken, and what is said of one that is not.</summary>
public sealed class TurboLibraryTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Search_SwitchedOff_FindsNone() =>
        Assert.Equal("switched off by TRANSFER_LIBJPEG_TURBO=off", TurboLibrary.Search("off").Problem);

    [Fact]
    public void Search_PathThatIsNotThere_IsAnError()
    {
        var error = Assert.Throws<UsageException>(() => TurboLibrary.Search(_folder.At("none.so")));
        Assert.Equal(
            $"TRANSFER_LIBJPEG_TURBO is '{_folder.At("none.so")}', expected 'off' or the path of libjpeg-turbo 3: there is no such file",
            error.Message
        );
    }

    [Fact]
    public void Folders_OfADistributionsRuntime_AreThoseOfThePlatformToo()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "distributions build .NET on Linux");
        var native = Path.Combine("runtimes", NativePackages.Platform, "native");
        Assert.Equal(["", Path.Combine("runtimes", "ubuntu.24.04-x64", "native"), native], TurboLibrary.Folders("ubuntu.24.04-x64"));
        Assert.Equal(["", native], TurboLibrary.Folders(NativePackages.Platform));
    }

    [Fact]
    public void Search_PathOfTheLibrary_IsTaken()
    {
        Assert.SkipWhen(TurboJpegDecoder.Problem is not null, $"libjpeg-turbo: {TurboJpegDecoder.Problem}");
        Assert.Null(TurboLibrary.Search(TurboLibrary.Path).Problem);
    }

    /// <summary>A library without TurboJPEG 3's functions, as version 2 is.</summary>
    [Fact]
    public void Open_LibraryWithoutTheFunctions_IsTooOld()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the C library is libc.so.6 on Linux");
        var found = TurboLibrary.Open(["libc.so.6"], inSystem: true);
        Assert.Matches(@"^/.*libc\.so\.6 is too old: it lacks tj3Init; expected libjpeg-turbo 3\.0 or newer$", found.Problem);
    }

    [Fact]
    public void Open_FileThatIsNoLibrary_TellsTheLoadersReason()
    {
        var file = _folder.Write("libturbojpeg.so", new string('-', 300));
        Assert.Contains(file, TurboLibrary.Open([file], inSystem: false).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NoCandidate_SaysWhatDecodesInstead() =>
        Assert.Contains(
            "JPEG is decoded by libvips, with the same pixels",
            TurboLibrary.Open([], inSystem: false).Problem,
            StringComparison.Ordinal
        );
}
