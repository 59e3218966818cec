!> Local filters: one small analysis per local domain.
!>
!> Domains are independent: a domain's result is bit for bit the same for any number of threads and for any share of the
!> domains. A domain without observations keeps its ensemble, uninflated unless asked.
module pl_local_analysis
   use pl_ensemble_block, only: join_block, relax_to_prior, rotate_block, split_block
   use pl_error, only: error_state, error_type, raise_error
   use pl_kinds, only: rk
   use pl_local_update, only: local_problem_type, local_update_type
   use pl_localisation, only: localisation_type
   use pl_observation_weights, only: correlation_weight
   use pl_symmetric_eigen, only: vector_lanes
   implicit none (type, external)
   private
   public :: analyse_share, local_option_type

   integer, parameter :: lanes_of_state = vector_lanes - 1 !! the last lane is left to the update
   integer, parameter :: domains_per_grab = 32             !! domains that a thread takes at a time

   !> How the local analyses are made.
   type :: local_option_type
      real(rk) :: inflation = 1.0_rk                !! factor on the prior anomalies of the state [1]
      real(rk) :: relaxation = 0.0_rk               !! relaxation to the prior, 0 to 1 [1]
      logical :: to_perturbations = .false.         !! relax to the prior anomalies; else to the prior spread
      logical :: is_unobserved_inflated = .false.   !! inflate domains without observations
      real(rk), allocatable :: rotation(:, :)       !! (nmember, nmember), mixes anomalies of all domains alike [1]
   end type local_option_type

contains

   !> The domains of one thread of a team; to be called by all of its threads.
   subroutine analyse_share(option, problem, localisation, update, domain_start, domain_states, ensemble, error)
      type(local_option_type), intent(in) :: option
      type(local_problem_type), intent(in) :: problem
      type(localisation_type), intent(in) :: localisation
      class(local_update_type), intent(inout) :: update   !! of this thread
      integer, intent(in) :: domain_start(:)              !! (ndomain + 1), first entry of a domain in domain_states
      integer, intent(in) :: domain_states(:)             !! (nstate), state elements by domain
      real(rk), intent(inout) :: ensemble(:, :)           !! (nmember, nstate), prior in, analysis out [any unit]
      type(error_type), allocatable, intent(inout) :: error !! what went wrong before or in here
      real(rk), allocatable :: share(:), weight(:)
      integer, allocatable :: chosen(:), found(:)
      integer :: domain, k, nchosen, nfound, nroom, stat
      nroom = merge(localisation%nobs, 0, localisation%threshold > 0.0_rk)
      allocate (found(localisation%nobs), stat=stat)
      if (stat == 0) allocate (weight(localisation%nobs), stat=stat)
      if (stat == 0) allocate (chosen(nroom), stat=stat)
      if (stat == 0) allocate (share(nroom), stat=stat)
      if (stat /= 0 .and. .not. allocated(error)) then
         call raise_error(error, error_state, "not enough memory to search observations; use fewer threads")
      end if
      !$omp do schedule(dynamic, domains_per_grab)
      do domain = 1, localisation%ndomain
         if (allocated(error)) cycle
         if (domain_start(domain + 1) == domain_start(domain)) cycle
         call localisation%find(domain, found, weight, nfound)
         associate (states => domain_states(domain_start(domain):domain_start(domain + 1) - 1))
            if (localisation%threshold > 0.0_rk) then ! each element has weights of its own
               do k = 1, size(states)
                  call weigh_by_correlation(problem, localisation%threshold, ensemble(:, states(k)), found(:nfound), &
                                            weight(:nfound), chosen, share, nchosen)
                  call analyse_states(option, states(k:k), chosen(:nchosen), share(:nchosen), update, ensemble, error)
                  if (allocated(error)) exit
               end do
            else
               call analyse_states(option, states, found(:nfound), weight(:nfound), update, ensemble, error)
            end if
         end associate
      end do
      !$omp end do
   end subroutine analyse_share

   !> Update state elements with the observations that were found, or treat them as not observed.
   subroutine analyse_states(option, states, found, weight, update, ensemble, error)
      type(local_option_type), intent(in) :: option
      integer, intent(in) :: states(:)                    !! state elements
      integer, intent(in) :: found(:)                     !! observations
      real(rk), intent(in) :: weight(:)                   !! their weights [1]
      class(local_update_type), intent(inout) :: update
      real(rk), intent(inout) :: ensemble(:, :)           !! (nmember, nstate) [unit of the state]
      type(error_type), allocatable, intent(out) :: error !! of the update
      if (size(found) > 0) then
         call update%prepare(found, weight, error)
         if (.not. allocated(error)) call update_states(option, states, ensemble, option%inflation, update)
      else if (option%is_unobserved_inflated) then
         call update_states(option, states, ensemble, option%inflation)
      else if (allocated(option%rotation)) then
         call update_states(option, states, ensemble, 1.0_rk)
      end if
   end subroutine analyse_states

   !> Multiply weights by a function of the sample correlation with a state element.
   subroutine weigh_by_correlation(problem, threshold, element, found, weight, chosen, share, nchosen)
      type(local_problem_type), intent(in) :: problem
      real(rk), intent(in) :: threshold      !! in (0, 1) [1]
      real(rk), intent(in) :: element(:)     !! (nmember) [any unit]
      integer, intent(in) :: found(:)        !! observations
      real(rk), intent(in) :: weight(:)      !! their weights [1]
      integer, intent(inout) :: chosen(:)    !! observations that are correlated
      real(rk), intent(inout) :: share(:)    !! their weights [1]
      integer, intent(out) :: nchosen        !! how many
      real(rk) :: factor, x(problem%nmember)
      integer :: i
      x = element - element(1)
      x = x - sum(x)/real(problem%nmember, rk)
      nchosen = 0
      do i = 1, size(found)
         factor = correlation_weight(threshold, x, problem%anomalies(:, found(i)))
         if (factor <= 0.0_rk) cycle
         nchosen = nchosen + 1
         chosen(nchosen) = found(i)
         share(nchosen) = weight(i)*factor
      end do
   end subroutine weigh_by_correlation

   !> Update the state elements of one domain.
   subroutine update_states(option, states, ensemble, inflation, update)
      type(local_option_type), intent(in) :: option
      integer, intent(in) :: states(:)                           !! state elements of the domain
      real(rk), intent(inout) :: ensemble(:, :)                  !! (nmember, nstate) [unit of the state]
      real(rk), intent(in) :: inflation                          !! factor on the prior anomalies [1]
      class(local_update_type), intent(inout), optional :: update !! none where nothing is observed
      real(rk) :: block(vector_lanes, size(ensemble, 1)), mean(vector_lanes), square(vector_lanes)
      real(rk), allocatable :: prior(:, :)
      integer :: first, lane, nmember, nused
      nmember = size(ensemble, 1)
      do first = 1, size(states), lanes_of_state
         nused = min(lanes_of_state, size(states) - first + 1)
         do lane = 1, vector_lanes ! lanes beyond the last element repeat it and are not stored
            block(lane, :) = ensemble(:, states(min(first + lane - 1, size(states))))
         end do
         call split_block(nmember, inflation, block, mean, square)
         if (option%to_perturbations .and. option%relaxation > 0.0_rk) prior = block/inflation
         if (present(update)) call update%apply(nused, block)
         if (allocated(prior)) call relax_to_prior(nmember, option%relaxation, prior, block)
         if (allocated(option%rotation)) call rotate_block(nmember, option%rotation, block)
         call join_block(nmember, merge(0.0_rk, option%relaxation, option%to_perturbations), mean, square, block)
         do lane = 1, nused
            ensemble(:, states(first + lane - 1)) = block(lane, :)
         end do
      end do
   end subroutine update_states

end module pl_local_analysis
