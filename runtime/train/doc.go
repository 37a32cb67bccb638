// Package train runs the training of any emitted model: it goes through the
// epochs, shuffles, evaluates, keeps the best weights, stops early, writes
// checkpoints, resumes, and shows progress.
//
//	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
//	defer stop()
//	result, err := train.Run(ctx, train.Config{
//		Model:   m,
//		Samples: len(labels), BatchSize: 128, Epochs: 10, Seed: 1,
//		Step: func(indices []int) (train.Report, error) {
//			return m.Step(mlp.Batch{
//				X: data.Gather(x, images, 784, indices),
//				Y: data.Gather(y, labels, 1, indices),
//			})
//		},
//		Evaluate:       evaluate,
//		Monitor:        "accuracy", Maximize: true, Patience: 3,
//		CheckpointPath: "mlp.checkpoint", Resume: true,
//		BestPath:       "mlp.safetensors",
//		Progress:       os.Stderr,
//	})
//
// # Resumed runs
//
// Which samples a batch has follows from the seed and from the number of
// updates that the model has made, so a run that was interrupted and is resumed
// makes the same updates as one that was not. What the model does not know (the
// history, and with it the best epoch and how long ago it was) is in a file
// beside the checkpoint, with ".run" behind its name. It is written before the
// checkpoint, and what it tells of a future that the checkpoint does not know is
// forgotten: a crash between the two costs nothing.
package train
