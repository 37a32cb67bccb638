// Package data reads data sets and cuts them into batches.
//
// Readers, each for a file or any [io.Reader]:
//
//   - [ReadIDX], [ReadIDXArray]: arrays as MNIST and its kin have them; [WriteIDX]
//   - [ReadNPY], [OpenNPZ]: arrays of NumPy; [WriteNPY], [NewNPZWriter]
//   - [ReadCSV], [CSV]: tables, with the kinds of their columns inferred
//   - [ReadText], [NewVocabulary], [Bytes]: texts as numbers of their characters
//   - [ReadWAV]: recordings; [WriteWAV]
//   - [Pictures]: PNG, JPEG and GIF, one or folders of them
//
// Files may come from anywhere. Each reader has [Limits], checks what a header
// says against them, and takes no more memory than what is really there is worth:
// a few bytes that promise gigabytes cost nothing, a small file that unpacks to a
// large one stops at the limit. An error names the file, the place in it, and
// where there is one the remedy; that of a limit wraps [ErrLimit], that of a file
// which ends too early [io.ErrUnexpectedEOF]. Files packed with gzip are read as
// they are, except NPZ and pictures, which are packed themselves.
//
// Between a file and a model lie the values that a table lacks
// ([Table.DropMissing], [Table.Fill]), a test set that is put aside ([Split]), and
// columns of mean 0 and deviation 1 ([MeasureScale], [Standardise]).
//
// [Batches] says which samples the k-th batch of a run has, as a function of seed
// and epoch alone, so that a run that is resumed sees what it would have seen.
// [Gather] copies the samples; [Windows] and [Streams] do that for the text of a
// language model.
//
// All is deterministic: the same file, options and seed give the same numbers on
// every machine. Values belong to one goroutine at a time, except where they say
// otherwise.
package data
