# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# Checks that boot nothing: scripts, base, patches, documents. Sourced by check.sh.

# Every shell script of the repository, whatever its name
check_shellcheck() {
	local scripts

	cd "$top" || exit 1
	read_lines scripts git grep -lE '^#!/.*(sh|bats)$|^# shellcheck shell=' -- harness tests bases tools package .ci
	say "${#scripts[@]} scripts"
	[ "${#scripts[@]}" -gt 20 ] || die "only ${#scripts[@]} scripts found"
	printf '%s\n' "${scripts[@]}" | xargs -P "$jobs" -n 16 shellcheck -x
	# A failure inside of one is not seen; read_lines sees it.
	! grep -nE '(done|mapfile|read)[^#]* < <\(' "${scripts[@]}" ||
		die "a loop must not read from a process substitution"
}

check_harness() { bats --tap "$top/tests/harness" | tee "$(ktap_of harness)"; }
check_model() { locked=1 "$top/harness/model.sh"; }
check_series() { locked=1 "$top/harness/series.sh"; }

# P1 rests on it: the unit tests compete at each release of the lock, in one helper.
check_one_unlock() {
	local found

	found=$(grep -c 'mutex_unlock(' "$top/drivers/vfio/pci/vfio_pci_sriov.c")
	[ "$found" = 1 ] || die "vfio_pci_sriov.c releases its lock in $found places"
}

check_removal() { remove_stamp base; make_need base; }

# Only what the preparation reads, so that it takes a second.
check_changed() {
	local dir=$work/changed

	rm -rf "$dir"
	mkdir -p "$dir"
	in_git archive stock drivers/vfio include/linux include/uapi/linux/vfio.h | tar -x -C "$dir"
	sed -i 's/\bvfio_pci_core_match\b/vfio_pci_renamed/' "$dir/drivers/vfio/pci/vfio_pci_core.c"
	must_fail "$basedir/prepare" "$dir" 2>&1 | tee "$dir/said"
	grep -q 'did not find function vfio_pci_core_match in drivers/vfio/pci/vfio_pci_core.c' "$dir/said"
}

one_form() { tr -s ' \n' ' ' | sed -E 's,([0-9])/([0-9]),\1 of \2,g; s/ %/%/g'; }

# A figure of README or of a cover letter, such as "6 of 16", "2,992 bytes" or
# "25 minutes", has its home in docs/results.md or in the times of the tiers.
check_figures() {
	local file figures figure bad=0 known

	known=$({
		cat "$top/docs/results.md"
		rows tier | awk -F '|' '{ print $3 " minutes", $4 " minutes" }'
	} | one_form | tr -d ',')
	for file in "$top/README.md" "$top"/patches/*/0000-cover-letter.patch; do
		figures=$(grep -v '^Subject: ' "$file" | one_form | grep -oE \
			'\b[0-9]{1,3}(,[0-9]{3})+|\b[0-9.]+( of [0-9]+|%| ([MG]B|[KM]iB|bytes|minutes|min|s|cases)\b)' |
			sort -u)
		while read -r figure; do
			grep -qwF -e "${figure//,/}" <<<"$known" ||
				{ echo "${file#"$top"/}: \"$figure\" is not in docs/results.md"; bad=1; }
		done <<<"$figures"
	done
	[ "$bad" = 0 ]
}

# "PATCH FILE" of each file that a patch of a base changes
files_by_patch() {
	awk '/^diff --git / { name = FILENAME; sub(/.*[/]/, "", name); print substr(name, 1, 4), substr($4, 3) }' \
		"$top/patches/$1"/000[1-9]-*.patch | sort
}

# The files that the series adds are the same bytes on each base, and no patch changes
# a file that the same patch of 6.12 does not.
check_copies() {
	local name names more added dir=$work/copies

	read_lines names find "$top/patches" -maxdepth 1 -name 'linux-*' -printf '%f\n'
	for name in "${names[@]}"; do
		say "$name"
		more=$(comm -13 <(files_by_patch linux-6.12) <(files_by_patch "$name"))
		[ -z "$more" ] || die "only on $name: $more"
		# The files that the series adds, as the last patch leaves them
		# shellcheck disable=SC2016 # fields of awk
		read_lines added awk '/^diff --git / { file = substr($4, 3) }
			/^new file mode / { print "--include=" file }' "$top/patches/$name"/000[1-9]-*.patch
		rm -rf "$dir"
		mkdir -p "$dir"
		cat "$top/patches/$name"/000[1-9]-*.patch | GIT_CEILING_DIRECTORIES=$work git -C "$dir" apply "${added[@]}"
		diff <(cd "$top" && copied_files | not_owned "$name" | xargs sha256sum) \
			<(cd "$dir" && find . -type f -printf '%P\n' | sort | xargs sha256sum) ||
			die "in-tree copies and patches/$name differ; what $name has itself belongs in bases/$name/owned"
		diff "$top/MAINTAINERS" <(added_entry "$name") ||
			die "MAINTAINERS and the entry of patches/$name differ"
	done
	rm -rf "$dir"
}

check_export() {
	local dir=$work/export-check

	write_patches "$gitdir" base "$applied" "$dir"
	diff -I '^index [0-9a-f]*\.\.[0-9a-f]*' -I '^@@ -[0-9,]* +[0-9,]* @@' "$patches" "$dir"
}

check_faults() {
	local file bad=0 cases program name

	checkout_src "$applied"
	# They are diffs of this base.
	[ "$base" != linux-6.12 ] || for file in "$top"/tests/mutants/*.diff "$top"/harness/review/faults/*.diff; do
		in_src apply --check "$file" || { say "error: ${file#"$top"/} does not apply"; bad=1; }
	done
	# What must fail with a mutant or on an unpatched kernel
	cases=$(
		sed -n 's/^Red: //p' "$top"/tests/mutants/*.diff
		without_comments "$top"/bases/linux-*/expected-red-* | sed 's/\./ /'
	)
	while read -r program name; do
		program=${program/#kunit/vfio_pci_sriov_kunit}
		[ -n "$name" ] && grep -rqwF --include="$program.c" -e "${name##*.}" \
			"$top"/{drivers,tests,tools} && continue
		say "error: there is no case $name of $program"
		bad=1
	done <<<"$cases"
	[ "$bad" = 0 ]
}

check_style() {
	local files said

	checkout_src "$applied"
	read_lines files patch_files
	said=$(style_of "${files[@]}")
	[ -z "$said" ] || die "$said"
}

# vfio-sriov.rst: the C fragments compile, each with the first, which has the headers; the
# kernel has the log lines that it explains, with another word in front of the colon.
check_docs() {
	local page=$src/Documentation/driver-api/vfio-sriov.rst dir=$work/docs text messages

	checkout_src "$applied"
	kmake "$src/build-headers" headers
	rm -rf "$dir"
	mkdir -p "$dir"
	awk -v dir="$dir" '
		/^\.\. code-block:: c$/ { file = n++ ? sprintf("%s/%d.c", dir, n) : dir "/headers.h"; next }
		/^[^\t]/ { file = "" }
		file { sub(/^\t/, ""); print > file }' "$page"
	env -C "$dir" gcc -Wall -Wextra -Werror -O2 -c -I "$src/build-headers/usr/include" \
		-include "$dir/headers.h" "$dir"/*.c
	# shellcheck disable=SC2016 # quotes of rst
	read_lines messages grep -oP '``(open|feature|SR-IOV) refused: \K[^`]*(?=``)' "$page"
	for text in "${messages[@]}"; do
		grep -rqF --include='*.c' -e "$text\"" -e "$text\\n" "$src/drivers/vfio" ||
			die "vfio-sriov.rst: the kernel does not say \"$text\""
	done
	grep -F driver-api/vfio-sriov.rst "${page%/*}/vfio.rst" || die "vfio.rst does not point to vfio-sriov.rst"
	grep -x '   vfio-sriov' "${page%/*}/index.rst" || die "index.rst does not list vfio-sriov.rst"
	[ "$(wc -l <"$page")" -le 300 ] || die "vfio-sriov.rst has more than 300 lines"
}

# What "make review" finds soonest, and the options that the series has an #if or a stub for
check_compile() {
	locked=1 "$top/harness/review.sh" checkpatch maintainers kernel-doc includes gcc vfio-cdev-n iommufd-n kunit-n
}

# P8: CONFIG_PCI_IOV=n has none of it.
check_noiov() { locked=1 "$top/harness/review.sh" pci-iov-n; }
