// Lists the native libraries of a published folder and resolves what each imports: beside it, in the system, or nowhere (exit code 1).
// Usage: dotnet run build/check-natives.cs -- FOLDER
// Reads ELF (System V gABI, chapter 5), PE (Microsoft's PE format, import tables) and Mach-O (loader.h of macOS), 64-bit little-endian.
using System.Buffers.Binary;
using System.Text;

if (args is not [var root] || !Directory.Exists(root))
{
    Console.Error.WriteLine("usage: dotnet run build/check-natives.cs -- FOLDER");
    return 2;
}

var natives = new List<(string File, string Kind, List<string> Imports)>();
foreach (var file in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
{
    if (Native.Read(file) is var (kind, imports))
        natives.Add((file, kind, imports));
    else if (Path.GetExtension(file) is ".so" or ".dylib")
        natives.Add((file, "?", [$"(it is neither ELF nor Mach-O of 64 bits)"]));
}

var beside = natives.Select(n => Path.GetFileName(n.File)).ToHashSet(StringComparer.OrdinalIgnoreCase);
var (missing, installed) = (0, new SortedSet<string>(StringComparer.OrdinalIgnoreCase));
foreach (var (file, kind, imports) in natives)
{
    var unresolved = imports.Where(i => !beside.Contains(Path.GetFileName(i)) && !Systems.Have(kind, i)).ToList();
    installed.UnionWith(imports.Where(i => !beside.Contains(Path.GetFileName(i)) && Systems.MustBeInstalled(i)));
    missing += unresolved.Count;
    Console.WriteLine(
        $"{kind, -6} {Path.GetRelativePath(root, file)}{(unresolved.Count == 0 ? "" : ": MISSING " + string.Join(", ", unresolved))}"
    );
}

Console.WriteLine(
    $"{natives.Count} native files, {missing} imports missing"
        + (installed.Count == 0 ? "" : $"; to be installed: {string.Join(", ", installed)}")
);
return natives.Count > 0 && missing == 0 ? 0 : 1;

/// <summary>Libraries that every system of a kind has, or that its users install.</summary>
internal static class Systems
{
    private static readonly string[] Linux =
    [
        "ld-linux-",
        "libc.so.6",
        "libdl.so.2",
        "libgcc_s.so.1",
        "libm.so.6",
        "libpthread.so.0",
        "libresolv.so.2",
        "librt.so.1",
        "libstdc++.so.6",
    ];

    /// <summary>Of packages: libtorch, OpenMP for LightGBM, and LTTng, by which .NET traces where somebody installed it.</summary>
    private static readonly string[] Packages =
    [
        "libtorch",
        "@rpath/libtorch",
        "libc10.",
        "@rpath/libc10.",
        "torch.",
        "torch_cpu.",
        "c10.",
        "libgomp.so.1",
        "liblttng-ust.so",
        "vcruntime140",
        "msvcp140",
        "vcomp140",
    ];

    private static readonly string[] Windows =
    [
        "api-ms-win-",
        "ext-ms-",
        "advapi32.",
        "avrt.",
        "bcrypt.",
        "bcryptprimitives.",
        "cfgmgr32.",
        "combase.",
        "comctl32.",
        "crypt32.",
        "d3d12.",
        "dbghelp.",
        "dnsapi.",
        "imagehlp.",
        "sspicli.",
        "wintrust.",
        "dwmapi.",
        "dwrite.",
        "dxgi.",
        "gdi32.",
        "gdiplus.",
        "icu.",
        "imm32.",
        "iphlpapi.",
        "kernel32.",
        "msimg32.",
        "msvcrt.",
        "mswsock.",
        "ncrypt.",
        "normaliz.",
        "ntdll.",
        "ole32.",
        "oleaut32.",
        "pdh.",
        "powrprof.",
        "psapi.",
        "rpcrt4.",
        "runtimeobject.",
        "secur32.",
        "setupapi.",
        "shell32.",
        "shlwapi.",
        "ucrtbase.",
        "user32.",
        "userenv.",
        "usp10.",
        "version.",
        "winhttp.",
        "winmm.",
        "wldap32.",
        "ws2_32.",
    ];

    public static bool MustBeInstalled(string import) => Packages.Any(p => import.StartsWith(p, StringComparison.OrdinalIgnoreCase));

    public static bool Have(string kind, string import) =>
        MustBeInstalled(import)
        || kind switch
        {
            "ELF" => Linux.Any(l => import.StartsWith(l, StringComparison.Ordinal)),
            "PE" => Windows.Any(l => import.StartsWith(l, StringComparison.OrdinalIgnoreCase)),
            _ => import.StartsWith("/usr/lib/", StringComparison.Ordinal)
                || import.StartsWith("/System/Library/", StringComparison.Ordinal),
        };
}

/// <summary>Imports of one native file.</summary>
internal static class Native
{
    public static (string Kind, List<string> Imports)? Read(string file)
    {
        using var stream = File.OpenRead(file);
        var head = new byte[4];
        if (stream.ReadAtLeast(head, 4, throwOnEndOfStream: false) < 4)
            return null;
        var kind = BinaryPrimitives.ReadUInt32LittleEndian(head) switch
        {
            0x464C457F => "ELF",
            0xFEEDFACF => "Mach-O",
            var magic when (magic & 0xFFFF) == 0x5A4D => "PE",
            _ => "",
        };
        if (kind.Length == 0)
            return null;
        var bytes = File.ReadAllBytes(file);
        return kind switch
        {
            "ELF" => ("ELF", Elf(bytes)),
            "PE" => Pe(bytes) is { } imports ? ("PE", imports) : null,
            _ => ("Mach-O", MachO(bytes)),
        };
    }

    private static List<string> Elf(byte[] b)
    {
        var segments = Segments(b);
        var found = new List<string>();
        foreach (var (type, offset, _, size) in segments)
        {
            if (type != 2) // PT_DYNAMIC
                continue;
            var (names, needed) = (0L, new List<long>());
            for (var at = offset; at < offset + size; at += 16)
            {
                var (tag, value) = (I64(b, at), I64(b, at + 8));
                if (tag == 1) // DT_NEEDED
                    needed.Add(value);
                else if (tag == 5) // DT_STRTAB, a virtual address
                    names = segments
                        .Where(s => s.Type == 1 && value >= s.Address && value < s.Address + s.Size)
                        .Select(s => value - s.Address + s.Offset)
                        .First();
            }

            found.AddRange(needed.Select(n => Text(b, names + n)));
        }

        return found;
    }

    private static List<(int Type, long Offset, long Address, long Size)> Segments(byte[] b)
    {
        var (table, size, count) = (I64(b, 0x20), U16(b, 0x36), U16(b, 0x38));
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => table + i * size)
                .Select(s => (I32(b, s), I64(b, s + 8), I64(b, s + 16), I64(b, s + 32))),
        ];
    }

    /// <summary>Null for assemblies of .NET.</summary>
    private static List<string>? Pe(byte[] b)
    {
        var header = I32(b, 0x3C);
        var optional = header + 24;
        var directories = optional + (U16(b, optional) == 0x20B ? 112 : 96);
        if (I32(b, directories + 14 * 8) != 0) // the CLR header
            return null;
        var (sections, count) = (optional + U16(b, header + 20), U16(b, header + 6));
        long Offset(long address)
        {
            for (var s = sections; s < sections + count * 40; s += 40)
            {
                if (address >= I32(b, s + 12) && address < I32(b, s + 12) + Math.Max(I32(b, s + 8), I32(b, s + 16)))
                    return address - I32(b, s + 12) + I32(b, s + 20);
            }

            throw new InvalidDataException($"no section holds the address {address}");
        }

        var found = new List<string>();
        // The import table has its names at 12 of 20 bytes, that of delayed imports at 4 of 32.
        foreach (var (directory, entry, name) in ((int, int, int)[])[(1, 20, 12), (13, 32, 4)])
        {
            if (I32(b, directories + directory * 8) is not (var table and not 0))
                continue;
            for (var at = Offset(table); I32(b, at + name) != 0; at += entry)
                found.Add(Text(b, Offset(I32(b, at + name))));
        }

        return found;
    }

    private static List<string> MachO(byte[] b)
    {
        var found = new List<string>();
        var at = 32L;
        for (var i = 0; i < I32(b, 16); i++)
        {
            var command = I32(b, at) & 0x7FFFFFFF;
            // LC_LOAD_DYLIB and LC_REEXPORT_DYLIB; a weak one (0x18) may be absent.
            if (command is 0xC or 0x1F)
                found.Add(Text(b, at + I32(b, at + 8)));
            at += I32(b, at + 4);
        }

        return found;
    }

    private static int U16(byte[] b, long at) => BinaryPrimitives.ReadUInt16LittleEndian(b.AsSpan((int)at));

    private static int I32(byte[] b, long at) => BinaryPrimitives.ReadInt32LittleEndian(b.AsSpan((int)at));

    private static long I64(byte[] b, long at) => BinaryPrimitives.ReadInt64LittleEndian(b.AsSpan((int)at));

    private static string Text(byte[] b, long at) => Encoding.UTF8.GetString(b, (int)at, Array.IndexOf(b, (byte)0, (int)at) - (int)at);
}
