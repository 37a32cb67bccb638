package digits

import "testing"

func TestLoad(t *testing.T) {
	training, test, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if training.Len() != 1500 || test.Len() != 297 || len(test.Images) != 297*Pixels {
		t.Fatalf("%d and %d images", training.Len(), test.Len())
	}
	for _, s := range []*Set{training, test} {
		for i, v := range s.Images {
			if v < 0 || v > 1 {
				t.Fatalf("pixel %d is %v", i, v)
			}
		}
		for i, y := range s.Labels {
			if y < 0 || y > 9 {
				t.Fatalf("label %d is %d", i, y)
			}
		}
	}
}
