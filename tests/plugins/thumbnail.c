/*
 * thumbnail.c: a plugin that makes small copies of JPEG files with libjpeg(-turbo). A task names a
 * picture; the thumbnail goes into the folder given on the command line, under the same name, and
 * the answer is its name and size:
 *
 *	find photos -name '*.jpg' | pinion call ./thumbnail.so small 160
 *
 * The picture is read at the largest of 1/1, 1/2, 1/4 and 1/8 of its size that fits into a square of
 * so many pixels (or 1/8), which libjpeg does while it decodes, in a fraction of the time.
 */
#include <errno.h>
#include <pinion-plugin.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jpeglib.h>

#define THUMBNAIL_QUALITY 85

struct thumbnail {
	const char *folder;
	unsigned int pixels;
};

/* libjpeg exits on an error, unless told to come back; one jump for reader and writer. */
struct thumbnail_job {
	struct jpeg_error_mgr errors; /* first: libjpeg hands back its address */
	jmp_buf failed;
	char why[JMSG_LENGTH_MAX];
	struct jpeg_decompress_struct reader;
	struct jpeg_compress_struct writer;
	FILE *from;
	FILE *to;
	unsigned char *row;
};

static void
thumbnail_fail(j_common_ptr codec)
{
	struct thumbnail_job *job = (struct thumbnail_job *)codec->err;
	job->errors.format_message(codec, job->why);
	longjmp(job->failed, 1);
}

static void
thumbnail_be_quiet(j_common_ptr codec)
{
	(void)codec;
}

static int
thumbnail_init(int argc, const char *const *argv, void **state, struct pinion_buffer *err)
{
	struct thumbnail *self;
	if (argc != 3 || atoi(argv[2]) < 1) {
		pinion_append_str(err, "write: thumbnail.so FOLDER PIXELS");
		return 1;
	}
	self = malloc(sizeof(*self));
	if (self == NULL)
		return 1;
	self->folder = argv[1];
	self->pixels = (unsigned int)atoi(argv[2]);
	*state = self;
	return 0;
}

static void
thumbnail_begin(const struct thumbnail *self, struct thumbnail_job *job)
{
	jpeg_stdio_src(&job->reader, job->from);
	jpeg_read_header(&job->reader, TRUE);
	job->reader.scale_num = 1;
	for (job->reader.scale_denom = 1; job->reader.scale_denom < 8;
	     job->reader.scale_denom *= 2) {
		jpeg_calc_output_dimensions(&job->reader);
		if (job->reader.output_width <= self->pixels &&
		    job->reader.output_height <= self->pixels)
			break;
	}
	jpeg_start_decompress(&job->reader);
	jpeg_stdio_dest(&job->writer, job->to);
	job->writer.image_width = job->reader.output_width;
	job->writer.image_height = job->reader.output_height;
	job->writer.input_components = job->reader.output_components;
	job->writer.in_color_space = job->reader.out_color_space;
	jpeg_set_defaults(&job->writer);
	jpeg_set_quality(&job->writer, THUMBNAIL_QUALITY, TRUE);
	jpeg_start_compress(&job->writer, TRUE);
}

static void
thumbnail_copy(struct thumbnail_job *job)
{
	size_t row_bytes =
	    (size_t)job->reader.output_width * (size_t)job->reader.output_components;
	job->row = malloc(row_bytes);
	if (job->row == NULL) {
		strcpy(job->why, "out of memory");
		longjmp(job->failed, 1);
	}
	while (job->reader.output_scanline < job->reader.output_height) {
		jpeg_read_scanlines(&job->reader, &job->row, 1);
		jpeg_write_scanlines(&job->writer, &job->row, 1);
	}
	jpeg_finish_compress(&job->writer);
	jpeg_finish_decompress(&job->reader);
}

/* 0; 1 when libjpeg came back here. */
static int
thumbnail_try(const struct thumbnail *self, struct thumbnail_job *job)
{
	if (setjmp(job->failed) != 0)
		return 1;
	thumbnail_begin(self, job);
	thumbnail_copy(job);
	return 0;
}

/* From one open file to another. 0; 1 and job->why. */
static int
thumbnail_make(const struct thumbnail *self, struct thumbnail_job *job)
{
	job->reader.err = job->writer.err = jpeg_std_error(&job->errors);
	job->errors.error_exit = thumbnail_fail;
	job->errors.output_message = thumbnail_be_quiet;
	jpeg_create_decompress(&job->reader);
	jpeg_create_compress(&job->writer);
	int status = thumbnail_try(self, job);
	jpeg_destroy_compress(&job->writer);
	jpeg_destroy_decompress(&job->reader);
	free(job->row);
	return status;
}

static void
thumbnail_cannot_write(struct thumbnail_job *job, const char *to)
{
	snprintf(job->why, sizeof(job->why), "cannot write %.100s: %s", to,
		 strerror(errno));
}

static int
thumbnail_run(const struct thumbnail *self, struct thumbnail_job *job, const char *from,
	      const char *to)
{
	int status = 1;
	job->from = fopen(from, "rb");
	if (job->from == NULL) {
		snprintf(job->why, sizeof(job->why), "%s", strerror(errno));
		return 1;
	}
	job->to = fopen(to, "wb");
	if (job->to != NULL) {
		status = thumbnail_make(self, job);
		if (fclose(job->to) != 0 && status == 0) {
			thumbnail_cannot_write(job, to);
			status = 1;
		}
		if (status != 0)
			unlink(to); /* no half picture stays */
	} else {
		thumbnail_cannot_write(job, to);
	}
	fclose(job->from);
	return status;
}

static int
thumbnail_task(const struct pinion_task *task, struct pinion_answer *answer)
{
	const struct thumbnail *self = task->state;
	const char *slash = strrchr(task->in, '/');
	char path[4096];
	struct thumbnail_job *job = calloc(1, sizeof(*job));
	int status = 1;
	if (job == NULL)
		return 1;
	int length = snprintf(path, sizeof(path), "%s/%s", self->folder,
			      slash != NULL ? slash + 1 : task->in);
	if (length < 0 || (size_t)length >= sizeof(path))
		strcpy(job->why, "the name is too long");
	else
		status = thumbnail_run(self, job, task->in, path);
	if (status == 0) {
		char size[64];
		snprintf(size, sizeof(size), " %ux%u\n", job->writer.image_width,
			 job->writer.image_height);
		status = pinion_append_str(&answer->out, path) ||
			 pinion_append_str(&answer->out, size);
	} else {
		pinion_append(&answer->err, task->in, task->in_bytes);
		pinion_append_str(&answer->err, ": ");
		pinion_fail(answer, 1, job->why);
	}
	free(job);
	return status;
}

static void
thumbnail_fini(void *state)
{
	free(state);
}

const struct pinion_plugin pinion_plugin = {
    PINION_PLUGIN_HEAD,
    .name = "thumbnail",
    .description = "a small copy of a JPEG file",
    .init = thumbnail_init,
    .task = thumbnail_task,
    .fini = thumbnail_fini,
};
