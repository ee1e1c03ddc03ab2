using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Platform;

namespace TransferPipeline.Tests.Platform;

/// <summary>ONNX Runtime's telemetry is off in this process: nothing is sent anywhere.</summary>
public sealed class NativeSetupTests
{
    [Fact]
    public void Telemetry_IsOffBeforeOnnxRuntimeIsLoaded()
    {
        _ = new UsageException("loads the library, whose initializer is what is tested");
        Assert.NotEmpty(OrtEnv.Instance().GetVersionString());
        Assert.Equal("1", Marshal.PtrToStringUTF8(GetEnvironmentVariable("ORT_DISABLE_TELEMETRY")));
    }

    [DllImport("libc", EntryPoint = "getenv")]
    private static extern nint GetEnvironmentVariable([MarshalAs(UnmanagedType.LPUTF8Str)] string name);
}
