using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using TransferPipeline.Features.Extraction;

namespace TransferPipeline.Features.Cards;

/// <summary>A card as the driver describes it.</summary>
internal sealed record CudaCard(int Index, string Name, long MemoryBytes);

/// <summary>What the NVIDIA driver says of itself and its cards, asked through its C API (libcuda.so.1) directly.</summary>
internal static unsafe class CudaDriver
{
    private const int NameLength = 256;

    /// <summary>The major version of CUDA that the provider is built for; a driver runs all versions up to its own.</summary>
    private const int Needed = 13;

    /// <summary>The newest CUDA that the driver supports, such as 13.0, and its cards; null when there is no driver.</summary>
    /// <exception cref="JobFailedException">The driver is there but refuses.</exception>
    public static (string Version, IReadOnlyList<CudaCard> Cards)? Ask()
    {
        if (!NativeLibrary.TryLoad("libcuda.so.1", out var library))
            return null;
        Check(((delegate* unmanaged<uint, int>)Function(library, "cuInit"))(0), "cuInit");
        int version, count;
        Check(((delegate* unmanaged<int*, int>)Function(library, "cuDriverGetVersion"))(&version), "cuDriverGetVersion");
        Check(((delegate* unmanaged<int*, int>)Function(library, "cuDeviceGetCount"))(&count), "cuDeviceGetCount");
        var cards = new List<CudaCard>();
        for (var i = 0; i < count; i++)
            cards.Add(Card(library, i));
        return (string.Create(CultureInfo.InvariantCulture, $"{version / 1000}.{version % 1000 / 10}"), cards);
    }

    /// <summary>Why the driver does not give the cards of a device; null when it does.</summary>
    public static string? Problem(DeviceOptions device)
    {
        try
        {
            return Ask() is { } driver ? TooOld(driver.Version) ?? Missing(device, driver.Cards) : "the NVIDIA driver is not there";
        }
        catch (JobFailedException e)
        {
            return e.Message;
        }
    }

    /// <summary>What is wrong with the CUDA version that a driver is for; null when it suits.</summary>
    public static string? TooOld(string version) =>
        int.Parse(version[..version.IndexOf('.')], CultureInfo.InvariantCulture) >= Needed ? null
            : $"the NVIDIA driver is for CUDA {version} at most, CUDA {Needed} is needed: install driver 580 or newer";

    /// <summary>The first card that was asked for and does not exist, and those that do; null when all exist.</summary>
    public static string? Missing(DeviceOptions device, IReadOnlyList<CudaCard> cards)
    {
        int[] missing = [.. device.Cards.Where(c => c >= cards.Count)];
        return missing.Length == 0 ? null
            : $"there is no card {missing[0]}: the driver shows {string.Join(", ", cards.Select(c => $"{c.Index} ({c.Name})"))}, as far as CUDA_VISIBLE_DEVICES lets it";
    }

    private static CudaCard Card(nint library, int index)
    {
        int device;
        nuint bytes;
        var name = stackalloc byte[NameLength];
        Check(((delegate* unmanaged<int*, int, int>)Function(library, "cuDeviceGet"))(&device, index), "cuDeviceGet");
        Check(((delegate* unmanaged<byte*, int, int, int>)Function(library, "cuDeviceGetName"))(name, NameLength, device), "cuDeviceGetName");
        Check(((delegate* unmanaged<nuint*, int, int>)Function(library, "cuDeviceTotalMem_v2"))(&bytes, device), "cuDeviceTotalMem");
        var text = new ReadOnlySpan<byte>(name, NameLength);
        return new(index, Encoding.UTF8.GetString(text[..text.IndexOf((byte)0)]), (long)bytes);
    }

    private static nint Function(nint library, string name) =>
        NativeLibrary.TryGetExport(library, name, out var address) ? address : throw new JobFailedException($"libcuda.so.1 has no {name}: it is not NVIDIA's driver, or older than CUDA 4");

    private static void Check(int status, string function)
    {
        // 100 is CUDA_ERROR_NO_DEVICE: a driver without a card.
        if (status != 0)
            throw new JobFailedException(status == 100 ? "the NVIDIA driver is there but sees no card" : $"the NVIDIA driver refuses: {function} gives error {status}");
    }
}
