# Reads the output of 'dotnet restore' and prints the packages that its messages of one level name, each once, in the order of the log:
# NAME VERSION (what is there instead). The version is the one asked for. Codes: https://learn.microsoft.com/nuget/reference/errors-and-warnings
function note(name, version, instead) {
    if (!(name in asked)) { order[++count] = name; asked[name] = version }
    if (instead != "" && !(name in there)) there[name] = instead
}

# The version in Directory.Packages.props, where a message does not say it.
function pinned(name,    line, version) {
    while ((getline line < versions) > 0)
        if (index(line, "Include=\"" name "\"")) { version = line; sub(/.* Version="\[?/, "", version); sub(/[],)"].*/, "", version) }
    close(versions)
    return version
}

function between(before, after,    text) {
    text = $0
    sub(".*" before, "", text)
    sub(after ".*", "", text)
    return text
}

!index($0, ": " level " NU") { next }

# No package of that name.
/ NU1101: / { name = between("Unable to find package ", "\\. "); note(name, pinned(name)) }

# The name, but not that version; a line for each source follows.
/ NU110[23]: Unable/ { name = between(" package ", " "); note(name, between(" \\([>= ]*", "[) ]")) }
/ NU110[23]: .*Nearest version: / { note(name, "", "it has " between("Nearest version: ", " ")) }

# A higher version than a package asks for: 'A 1 depends on B (>= 2) but B 2 was not found. B 3 was resolved instead.'
/ NU1603: / { split(between(" but ", " was not found"), words, " "); note(words[1], words[2], "it has " between("\\. " words[1] " ", " was resolved")) }

# A lower version than a package asks for: 'Detected package downgrade: B from 3 to 2.'
/ NU1605: Warning As Error: Detected|NU1605: Detected/ { split(between("downgrade: ", "\\. "), words, " "); note(words[1], words[3], "pinned to " words[5]) }

END {
    for (i = 1; i <= count; i++)
        print order[i] (asked[order[i]] == "" ? "" : " " asked[order[i]]) (order[i] in there ? " (" there[order[i]] ")" : "")
}
