using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TransferPipeline.Platform;

/// <summary>What native libraries must find before they are loaded.</summary>
internal static class NativeSetup
{
    private const string Tf32Override = "NVIDIA_TF32_OVERRIDE";

    /// <summary>What the user has set; read before the first change of ours, which Windows would show in its place.</summary>
    private static readonly string? Tf32OfUser = Environment.GetEnvironmentVariable(Tf32Override);

    private static bool _usesTf32;

    /// <summary>
    /// Switches off the telemetry that ONNX Runtime's Linux builds have from 1.29 on: they would send events to their maker, and this
    /// program sends nothing anywhere. The native library reads the variable from C's environment, which .NET's own setter does not change.
    /// </summary>
#pragma warning disable CA2255 // A library that must be set up before whatever uses it first; its callers cannot know which call that is.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Run()
    {
        // First, since a library that is loaded later reads the variable at its own start and never again.
        SetNativeVariable("ORT_DISABLE_TELEMETRY", "1");
        NativePackages.Install();
        CudaBuild.Install();
        if (OperatingSystem.IsLinux())
            UseBundledOpenSsl(Path.Combine(AppContext.BaseDirectory, "openssl"));
    }

    /// <summary>
    /// Forbids NVIDIA's libraries to take TensorFloat-32 for float32, before they are loaded: TensorRT does by default, and so does ONNX
    /// Runtime 1.29 for convolutions that cuDNN has no other engine for (conv.cc: CreateCudnnFeExecutionPlan). It holds for the whole
    /// process, so not where a session is to use it: beside that one, float32 is what is compared with.
    /// </summary>
    internal static void ForbidTf32(bool forbid)
    {
        // Once one session may use TensorFloat-32, the process may: the libraries read the variable when they are loaded.
        _usesTf32 |= !forbid;
        if (forbid && !_usesTf32)
            SetNativeVariable(Tf32Override, "0");
        else if (!forbid)
            SetNativeVariable(Tf32Override, Tf32OfUser);
    }

    /// <summary>
    /// .NET hashes with OpenSSL, which small container images lack; a bundle has one for that case, and the system's is preferred.
    /// </summary>
    private static void UseBundledOpenSsl(string folder)
    {
        if (!Directory.Exists(folder) || NativeLibrary.TryLoad("libssl.so.3", out _))
            return;
        // Once loaded, they are found by their names.
        // libcrypto first: libssl depends on it by that name.
        foreach (var name in (string[])["libcrypto.so.3", "libssl.so.3"])
            NativeLibrary.TryLoad(Path.Combine(folder, name), out _);
    }

    /// <summary>Sets or removes a variable for native libraries; on Windows they share .NET's.</summary>
    private static void SetNativeVariable(string name, string? value)
    {
        if (OperatingSystem.IsWindows())
            Environment.SetEnvironmentVariable(name, value);
        else if (value is null)
            _ = LibC.RemoveEnvironmentVariable(name);
        else
            _ = LibC.SetEnvironmentVariable(name, value, 1);
    }
}
