using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace TransferPipeline.Inference.Gpu.Cuda;

/// <summary>A GPU as the driver describes it.</summary>
/// <param name="Capability">Its compute capability, such as 9.0: for which machine code there must be.</param>
internal sealed record CudaDevice(int Index, string Name, long MemoryBytes, string Capability = "");

/// <summary>Version and GPUs of the NVIDIA driver, through its C API (libcuda.so.1) directly.</summary>
internal static unsafe class CudaDriver
{
    private const int NameLength = 256;

    /// <summary>CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR.</summary>
    private const int CapabilityMajor = 75,
        CapabilityMinor = 76;

    /// <summary>The major version of CUDA that the provider is built for; a driver runs all versions up to its own.</summary>
    private const int Needed = 13;

    /// <summary>The newest CUDA that the driver supports, such as 13.0, and its GPUs; null when there is no driver.</summary>
    /// <exception cref="JobFailedException">The driver is there but refuses.</exception>
    public static (string Version, IReadOnlyList<CudaDevice> Gpus)? Ask()
    {
        if (!NativeLibrary.TryLoad("libcuda.so.1", out var library))
            return null;
        Check(((delegate* unmanaged<uint, int>)Function(library, "cuInit"))(0), "cuInit");
        int version,
            count;
        Check(((delegate* unmanaged<int*, int>)Function(library, "cuDriverGetVersion"))(&version), "cuDriverGetVersion");
        Check(((delegate* unmanaged<int*, int>)Function(library, "cuDeviceGetCount"))(&count), "cuDeviceGetCount");
        var gpus = new List<CudaDevice>();
        for (var i = 0; i < count; i++)
            gpus.Add(Gpu(library, i));
        // cuDriverGetVersion gives 13000 for 13.0 and 12040 for 12.4.
        return (string.Create(CultureInfo.InvariantCulture, $"{version / 1000}.{version % 1000 / 10}"), gpus);
    }

    /// <summary>Why the driver does not give these GPUs; null when it does.</summary>
    public static string? Problem(IReadOnlyList<int> wanted)
    {
        try
        {
            return Ask() is { } driver ? TooOld(driver.Version) ?? Missing(wanted, driver.Gpus) : "the NVIDIA driver is not there";
        }
        catch (JobFailedException e)
        {
            return e.Message;
        }
    }

    /// <summary>What is wrong with the CUDA version that a driver is for; null when it suits.</summary>
    public static string? TooOld(string version) =>
        int.Parse(version[..version.IndexOf('.')], CultureInfo.InvariantCulture) >= Needed
            ? null
            : $"the NVIDIA driver is for CUDA {version} at most, CUDA {Needed} is needed: install driver 580 or newer";

    /// <summary>The first requested GPU that does not exist, and those that do; null when all exist.</summary>
    public static string? Missing(IReadOnlyList<int> wanted, IReadOnlyList<CudaDevice> gpus)
    {
        int[] missing = [.. wanted.Where(c => c >= gpus.Count)];
        return missing.Length == 0
            ? null
            : $"there is no GPU {missing[0]}: the driver shows {string.Join(", ", gpus.Select(c => $"{c.Index} ({c.Name})"))}, as far "
                + $"as CUDA_VISIBLE_DEVICES lets it";
    }

    private static CudaDevice Gpu(nint library, int index)
    {
        int device;
        nuint bytes;
        var name = stackalloc byte[NameLength];
        Check(((delegate* unmanaged<int*, int, int>)Function(library, "cuDeviceGet"))(&device, index), "cuDeviceGet");
        Check(
            ((delegate* unmanaged<byte*, int, int, int>)Function(library, "cuDeviceGetName"))(name, NameLength, device),
            "cuDeviceGetName"
        );
        // The form without _v2 counts in 32 bits.
        Check(((delegate* unmanaged<nuint*, int, int>)Function(library, "cuDeviceTotalMem_v2"))(&bytes, device), "cuDeviceTotalMem");
        var text = new ReadOnlySpan<byte>(name, NameLength);
        var capability = string.Create(
            CultureInfo.InvariantCulture,
            $"{Attribute(library, CapabilityMajor, device)}.{Attribute(library, CapabilityMinor, device)}"
        );
        return new(index, Encoding.UTF8.GetString(text[..text.IndexOf((byte)0)]), (long)bytes, capability);
    }

    private static int Attribute(nint library, int attribute, int device)
    {
        int value;
        Check(
            ((delegate* unmanaged<int*, int, int, int>)Function(library, "cuDeviceGetAttribute"))(&value, attribute, device),
            "cuDeviceGetAttribute"
        );
        return value;
    }

    private static nint Function(nint library, string name) =>
        NativeLibrary.TryGetExport(library, name, out var address)
            ? address
            : throw new JobFailedException($"libcuda.so.1 has no {name}: it is not NVIDIA's driver, or older than CUDA 4");

    private static void Check(int status, string function)
    {
        if (status != 0)
            throw new JobFailedException(Meaning(status) ?? $"the NVIDIA driver refuses: {function} gives error {status}");
    }

    /// <summary>Errors of a box that is not set up, by the numbers of cuda.h; null for others.</summary>
    private static string? Meaning(int status) =>
        status switch
        {
            100 => "the NVIDIA driver is there but sees no GPU, as far as CUDA_VISIBLE_DEVICES and the container let it",
            802 => "the NVIDIA driver is not ready (error 802): boards with NVSwitch, such as HGX H100, need nvidia-fabricmanager of the "
                + "driver's version to run",
            803 => "libcuda.so.1 and the NVIDIA driver in the kernel are of different versions (error 803): restart the machine after a "
                + "driver's upgrade, or the container",
            804 => "libcuda.so.1 is of a cuda-compat package that this GPU and driver do not allow (error 804): take its folder out of "
                + "LD_LIBRARY_PATH",
            _ => null,
        };
}
