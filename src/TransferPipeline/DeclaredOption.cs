using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json.Nodes;

namespace TransferPipeline;

/// <summary>Type of an option's value.</summary>
internal enum OptionKind
{
    Flag,
    Integer,
    Number,
    Choice,
    Text,
    Integers,
}

/// <summary>
/// An option as its record declares it by <see cref="OptionAttribute"/>: those of extraction, comparison and devices, and those of heads.
/// </summary>
internal sealed partial class DeclaredOption
{
    // The command line, pipelines and heads read the same records; reflection over each is paid once per process.
    private static readonly ConcurrentDictionary<Type, (PropertyInfo Property, OptionAttribute Attribute)[]> Found = new();

    private readonly PropertyInfo _property;
    private readonly OptionAttribute _declaration;

    private DeclaredOption(PropertyInfo property, OptionAttribute declaration, object defaults)
    {
        (_property, _declaration) = (property, declaration);
        Kind = (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) switch
        {
            var type when type == typeof(bool) => OptionKind.Flag,
            var type when type == typeof(int) => OptionKind.Integer,
            var type when type == typeof(double) => OptionKind.Number,
            var type when type == typeof(string) => OptionKind.Text,
            var type when type == typeof(IReadOnlyList<int>) => OptionKind.Integers,
            { IsEnum: true } => OptionKind.Choice,
            var type when OptionText.Of(type) is not null => OptionKind.Text,
            // An error in the record's source, not in what a user typed: hence no UsageException.
            var type => throw new InvalidOperationException(
                $"{property.DeclaringType}.{property.Name} is of type {type}; an option is a number, bool, string, enum, list of int or "
                    + "IOptionValue"
            ),
        };
        Choices =
            Kind == OptionKind.Choice ? Array.ConvertAll(Enum.GetNames(property.PropertyType), Word) : declaration.Words?.Split('|') ?? [];
        Default = property.GetValue(defaults);
        DefaultText = TextOf(defaults);
    }

    public string Name => _declaration.Name;

    /// <summary>With dashes.</summary>
    public string Flag => "--" + (_declaration.CommandName ?? Name);

    /// <summary>What it does, one line.</summary>
    public string Help => _declaration.Help;

    public OptionKind Kind { get; }

    /// <summary>The words of a choice or of a text that has them.</summary>
    public string[] Choices { get; }

    /// <summary>Null where the record has none: what is not given is found from the input.</summary>
    public object? Default { get; }

    /// <summary>The default as users write it.</summary>
    public string DefaultText { get; }

    /// <summary>Smallest valid number; <see cref="ExclusiveMin"/> excludes it.</summary>
    public double Min => _declaration.Min;

    public double Max => _declaration.Max;

    public bool ExclusiveMin => _declaration.ExclusiveMin;

    /// <summary>The valid numbers.</summary>
    public NumberRange Range => new(Min, Max, ExclusiveMin);

    public string? Pattern => _declaration.Pattern;

    public string? ValueName => _declaration.ValueName;

    public bool IsSwitch => _declaration.Switch;

    /// <summary>The options of a record with the defaults of a new one.</summary>
    public static IReadOnlyList<DeclaredOption> Of<T>()
        where T : class => Of(Activator.CreateInstance<T>());

    /// <summary>
    /// The options that a record declares: its own first, then those of the records that it derives from, each in the order of the source.
    /// An option that several heads share is declared by an interface's property.
    /// </summary>
    /// <param name="defaults">The record with the defaults.</param>
    public static IReadOnlyList<DeclaredOption> Of(object defaults) =>
        Array.ConvertAll(
            Found.GetOrAdd(defaults.GetType(), static record => [.. Declarations(record)]),
            d => new DeclaredOption(d.Property, d.Attribute, defaults)
        );

    private static IEnumerable<(PropertyInfo Property, OptionAttribute Attribute)> Declarations(Type record)
    {
        // With DeclaredOnly and a walk over the base types a record's own options
        // come first; one call for all has no such order.
        const BindingFlags Own = BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        for (var type = record; type is not null; type = type.BaseType)
        {
            // GetProperties promises no order; metadata tokens follow the order of the source.
            foreach (var property in type.GetProperties(Own).OrderBy(p => p.MetadataToken))
            {
                var attribute =
                    property.GetCustomAttribute<OptionAttribute>()
                    // .NET does not inherit an attribute from an interface's property, so the interfaces are searched.
                    ?? type.GetInterfaces()
                        .Select(i => i.GetProperty(property.Name)?.GetCustomAttribute<OptionAttribute>())
                        .FirstOrDefault(a => a is not null);
                if (attribute is not null)
                    yield return (property, attribute);
            }
        }
    }

    /// <summary>Sets the property of a record that nobody else sees yet.</summary>
    /// <param name="value">Of the property's type, or a choice as text.</param>
    /// <exception cref="UsageException">The property itself refuses the value.</exception>
    public void Set(object record, object value) =>
        // DoNotWrapExceptions lets the UsageException of a property through, which reflection would wrap.
        _property.SetValue(
            record,
            // GetValues has the order of GetNames, from which the choices come.
            Kind == OptionKind.Choice
                ? Enum.GetValues(_property.PropertyType).GetValue(Array.IndexOf(Choices, (string)value))
                : value,
            BindingFlags.DoNotWrapExceptions,
            null,
            null,
            null
        );

    /// <summary>Its JSON schema, for editors of pipelines.</summary>
    public JsonObject Schema()
    {
        var schema = Kind switch
        {
            OptionKind.Flag => new JsonObject { ["type"] = "boolean", ["description"] = Help },
            OptionKind.Integer => Limited(new() { ["type"] = "integer", ["description"] = Help }, int.MaxValue),
            OptionKind.Number => Limited(new() { ["type"] = "number", ["description"] = Help }),
            OptionKind.Integers => new()
            {
                ["description"] = Help,
                ["oneOf"] = new JsonArray(
                    new JsonObject { ["type"] = "array", ["items"] = Limited(new() { ["type"] = "integer" }, int.MaxValue) },
                    Limited(new() { ["type"] = "integer" }, int.MaxValue)
                ),
            },
            _ => new() { ["type"] = "string", ["description"] = Help },
        };
        if (Choices.Length > 0)
            schema["enum"] = new JsonArray([.. Choices.Select(c => JsonValue.Create(c))]);
        if (Pattern is not null)
            schema["pattern"] = Pattern;
        // A default of 0 may lie outside the limits, as that of folds does
        // (none); editors would mark such a schema as wrong.
        if (Kind != OptionKind.Integers && Default is not (null or 0))
            schema["default"] = JsonValue.Create(
                Default switch
                {
                    Enum => DefaultText,
                    var value => value,
                }
            );
        return schema;
    }

    /// <param name="largest">Of the property's type.</param>
    private JsonObject Limited(JsonObject schema, double largest = double.PositiveInfinity)
    {
        var max = Math.Min(Max, largest);
        // JSON has no infinity: a missing limit is a missing key.
        if (double.IsFinite(Min))
            schema["minimum"] = Min;
        if (double.IsFinite(max))
            schema["maximum"] = max;
        return schema;
    }

    /// <summary>A member of an enumeration as users write it: <c>InnerFolds</c> is inner-folds.</summary>
    public static string Word(string member) =>
        string.Concat(member.Select((c, i) => char.IsAsciiLetterUpper(c) ? (i == 0 ? "" : "-") + char.ToLowerInvariant(c) : c.ToString()));
}
