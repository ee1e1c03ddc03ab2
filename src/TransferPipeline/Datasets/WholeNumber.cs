using System.Globalization;

namespace TransferPipeline.Datasets;

/// <summary>Class indices in other spellings. Apart from JSON's labels, whose library data without JSON need not load.</summary>
internal static class WholeNumber
{
    /// <summary>A class index that was written as a floating-point number, without its fraction: 3.0 is 3.</summary>
    public static string Of(string text) =>
        // Below 1e15 a double holds every whole number exactly. Digits alone stay as they are: 007 may be a name.
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && number == Math.Floor(number)
        && Math.Abs(number) < 1e15
        && !text.All(char.IsAsciiDigit)
            ? ((long)number).ToString(CultureInfo.InvariantCulture)
            : text;
}
