using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace TransferPipeline.Tests;

/// <summary>All that an assembly offers to others, as text: a namespace, type or member a line, in ordinal order.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly NullabilityInfoContext Nullability = new();

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(int)] = "int",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
        [typeof(string)] = "string",
        [typeof(object)] = "object",
        [typeof(char)] = "char",
    };

    public static string Of(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var types in assembly.GetExportedTypes().GroupBy(t => t.Namespace).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            text.Append(types.Key).Append('\n');
            foreach (var type in types.OrderBy(Name, StringComparer.Ordinal))
            {
                text.Append("  ").Append(Declaration(type)).Append('\n');
                foreach (var line in Members(type).Order(StringComparer.Ordinal))
                    text.Append("    ").Append(line).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string Declaration(Type type)
    {
        var isRecord = type.GetMethod("<Clone>$") is not null || (type.IsValueType && type.GetMethod("PrintMembers", Declared) is not null);
        var kind =
            type.IsEnum ? "enum"
            : type.IsInterface ? "interface"
            : type.IsSubclassOf(typeof(Delegate)) ? $"delegate {Name(type.GetMethod("Invoke")!.ReturnType)}"
            : (
                type.IsValueType ? IsReadOnly(type) + (type.IsByRefLike ? "ref " : "")
                : type is { IsAbstract: true, IsSealed: true } ? "static "
                : type.IsAbstract ? "abstract "
                : type.IsSealed ? "sealed "
                : ""
            )
                + (
                    isRecord ? "record"
                    : type.IsValueType ? ""
                    : "class"
                )
                + (type.IsValueType ? (isRecord ? " struct" : "struct") : "");
        string[] bases =
        [
            .. type.BaseType is { } parent
            && parent != typeof(object)
            && parent != typeof(ValueType)
            && parent != typeof(Enum)
            && !type.IsSubclassOf(typeof(Delegate))
                ? [Name(parent)]
                : Array.Empty<string>(),
            .. type.GetInterfaces()
                .Except(type.BaseType?.GetInterfaces() ?? [])
                .Where(i => i.IsPublic && !type.IsEnum && !(i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEquatable<>)))
                .Select(Name)
                .Order(StringComparer.Ordinal),
        ];
        return $"{kind} {Name(type)}{(bases.Length > 0 ? " : " + string.Join(", ", bases) : "")}";
    }

    private static string IsReadOnly(Type type) => type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly " : "";

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
            return Enum.GetNames(type)
                .Select(n => $"{n} = {Convert.ToInt64(Enum.Parse(type, n), System.Globalization.CultureInfo.InvariantCulture)}");
        if (type.IsSubclassOf(typeof(Delegate)))
            return [$"({Parameters(type.GetMethod("Invoke")!)})"];
        return
        [
            .. type.GetConstructors(Declared).Where(c => IsSeen(c) && !IsCopy(c)).Select(c => $"{Seen(c)}new({Parameters(c)})"),
            .. type.GetFields(Declared)
                .Where(f => f.IsPublic || f.IsFamily)
                .Select(f =>
                    $"{(f.IsLiteral ? "const " : f.IsStatic ? "static " : "")}{Name(f.FieldType, Nullability.Create(f))} {f.Name}"
                ),
            .. type.GetProperties(Declared).Where(p => p.GetAccessors(true).Any(IsSeen) && p.Name != "EqualityContract").Select(Property),
            .. type.GetMethods(Declared)
                .Where(m => IsSeen(m) && !m.IsSpecialName && !m.IsDefined(typeof(CompilerGeneratedAttribute)) && m.GetBaseDefinition() == m)
                .Select(m =>
                    $"{Seen(m)}{Kind(m, type)}{Name(m.ReturnType, Nullability.Create(m.ReturnParameter))} "
                    + $"{m.Name}{Arguments(m.GetGenericArguments())}({Parameters(m)})"
                ),
        ];
    }

    private static string Kind(MethodInfo m, Type type) =>
        m.IsStatic ? "static "
        : type.IsInterface ? ""
        : m.IsAbstract ? "abstract "
        : m is { IsVirtual: true, IsFinal: false } ? "virtual "
        : "";

    private static bool IsCopy(ConstructorInfo c) =>
        c.GetParameters() is [var only] && only.ParameterType == c.DeclaringType && c.IsDefined(typeof(CompilerGeneratedAttribute));

    private static bool IsSeen(MethodBase m) => m.IsPublic || m.IsFamily || m.IsFamilyOrAssembly;

    private static string Seen(MethodBase m) => m.IsPublic ? "" : "protected ";

    private static string Property(PropertyInfo p)
    {
        var (get, set) = (p.GetMethod, p.SetMethod);
        var accessors =
            (get is not null && IsSeen(get) ? " get;" : "")
            + (
                set is not null && IsSeen(set)
                    ? set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit))
                        ? " init;"
                        : " set;"
                    : ""
            );
        var modifiers = ((get ?? set)!.IsStatic ? "static " : "") + (p.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "");
        return $"{modifiers}{Name(p.PropertyType, Nullability.Create(p))} {p.Name} {{{accessors} }}";
    }

    private static string Parameters(MethodBase m) =>
        string.Join(
            ", ",
            m.GetParameters()
                .Select(p =>
                    $"{(p.IsOut ? "out " : p.ParameterType.IsByRef ? "ref " : "")}{Name(p.ParameterType, Nullability.Create(p))} "
                    + $"{p.Name}{(p.HasDefaultValue ? $" = {Default(p.RawDefaultValue)}" : "")}"
                )
        );

    private static string? Default(object? value) =>
        value is null ? "default" : Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture);

    private static string Name(Type type) => Name(type, null);

    private static string Name(Type type, NullabilityInfo? known)
    {
        if (type.IsByRef)
            return Name(type.GetElementType()!, known);
        if (Nullable.GetUnderlyingType(type) is { } inner)
            return Name(inner) + "?";
        var mark = known is { ReadState: NullabilityState.Nullable } && !type.IsValueType ? "?" : "";
        if (Keywords.TryGetValue(type, out var keyword))
            return keyword + mark;
        if (type.IsArray)
            return Name(type.GetElementType()!, known?.ElementType) + "[]" + mark;
        var own = type.Name.Split('`')[0];
        var outer = type is { IsNested: true, IsGenericParameter: false } ? Name(type.DeclaringType!) + "." : "";
        var arguments = type.GetGenericArguments()
            .Select((t, i) => Name(t, known is { GenericTypeArguments.Length: > 0 } ? known.GenericTypeArguments[i] : null));
        return outer + own + (type.IsGenericType ? $"<{string.Join(", ", arguments)}>" : "") + mark;
    }

    private static string Arguments(Type[] types) => types.Length == 0 ? "" : $"<{string.Join(", ", types.Select(Name))}>";
}
