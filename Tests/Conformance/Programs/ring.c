// ring THREADS ROUNDS: each thread waits for its neighbour's word and passes it on. More threads than some machines allow a program, so
// it is no comparison.
#include "check.h"

const char *topic = "ring";

struct place {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool has_word;
};
static struct place *places;
static long count, rounds;

static void pass(struct place *place) {
    pthread_mutex_lock(&place->mutex);
    place->has_word = true;
    pthread_cond_signal(&place->condition);
    pthread_mutex_unlock(&place->mutex);
}

static void *standing(void *argument) {
    long index = (long)argument;
    struct place *place = &places[index];
    for (long round = 0; round < rounds; round++) {
        pthread_mutex_lock(&place->mutex);
        while (!place->has_word) pthread_cond_wait(&place->condition, &place->mutex);
        place->has_word = false;
        pthread_mutex_unlock(&place->mutex);
        pass(&places[(index + 1) % count]);
    }
    return argument;
}

int main(int argument_count, char **arguments) {
    if (argument_count < 3) return 64;
    count = atol(arguments[1]);
    rounds = atol(arguments[2]);
    places = calloc((size_t)count, sizeof *places);
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    for (long index = 0; index < count; index++) {
        pthread_mutex_init(&places[index].mutex, NULL);
        pthread_cond_init(&places[index].condition, NULL);
    }
    long made = 0, ended = 0;
    for (long index = 0; index < count; index++) made += pthread_create(&threads[index], NULL, standing, (void *)index) == 0;
    number("threads", made);
    if (made < count) return 1;
    pass(&places[0]);
    for (long index = 0; index < count; index++) {
        void *result;
        ended += pthread_join(threads[index], &result) == 0 && result == (void *)index;
    }
    number("ended", ended);
    holds("the word came back", places[0].has_word);
    return 0;
}
