!> Liquid water of the cells of the distributed subsurface, and heads that follow water or ice that others have changed.
!>
!> Ice is that of the land model: it takes pores and slows flow (pl_flow_soil), and the liquid that it takes is gone
!> from the cell. Unsaturated cells get the head of their liquid in the pores that are left; saturated ones keep their
!> pressure (as pl_frozen_soil does for columns).
module pl_flow_water
   use pl_chunk, only: w => chunk_width
   use pl_error, only: error_state, error_type, raise_error
   use pl_flow_exchange, only: exchange_halo
   use pl_flow_model, only: flow_model_type
   use pl_flow_soil, only: class_parameters_type, invert_lanes, lane_water, load_if_new
   use pl_flow_step, only: load_member
   use pl_flow_system, only: evaluate
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: create_ice, follow_ice, follow_water, liquid_water

   real(rk), parameter :: full = 1.0e-8_rk !! water this close to the open pores counts as saturated [m3 m-3]

contains

   !> Fields of ice, when the first of it forms.
   subroutine create_ice(model, error)
      type(flow_model_type), intent(inout) :: model
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      integer :: stat
      if (model%has_ice) return
      deallocate (model%ice)
      allocate (model%ices, mold=model%heads, stat=stat)
      if (stat == 0) allocate (model%ice, mold=model%head, stat=stat)
      if (stat /= 0) then
         call raise_error(error, error_state, "not enough memory for the ice of the distributed subsurface; use fewer cells "// &
                          "per rank")
         return
      end if
      model%ices = 0.0_rk
      model%ice = 0.0_rk
      model%has_ice = .true.
      model%is_evaluated = .false.
   end subroutine create_ice

   !> Liquid of a member without what compression adds; 0 where no cell is. All ranks together.
   subroutine liquid_water(model, member, water)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: member                                        !! from 1 [1]
      real(rk), intent(out) :: water(model%nx, model%nz, model%ny)         !! [m3 m-3]
      integer :: j
      call load_member(model, member)
      call evaluate(model)
      !$omp parallel do schedule(static)
      do j = 1, model%ny
         call row_water(model, j, water(:, :, j))
      end do
   end subroutine liquid_water

   !> Liquid of one row.
   subroutine row_water(model, j, water)
      type(flow_model_type), intent(in) :: model
      integer, intent(in) :: j
      real(rk), intent(out) :: water(model%nx, model%nz) !! [m3 m-3]
      type(class_parameters_type) :: now
      real(rk), dimension(w) :: head, storage, slowed, found, rate
      real(rk) :: none(w)
      integer :: first, i, k, loaded, source(w)
      loaded = 0
      none = 0.0_rk
      do k = 1, model%nz
         do first = 1, model%nx, w
            do i = 1, w
               source(i) = min(first + i - 1, model%nx)
            end do
            call load_lanes(model, source, k, j, loaded, now, slowed)
            head = model%head(source, k, j)
            storage = model%storage(source, k, j)
            call lane_water(now, head, storage, none, found, rate)
            found = merge(min(found, now%porosity), 0.0_rk, model%class(source, k, j) <= model%soil%nclass)
            water(first:min(first + w - 1, model%nx), k) = found(:min(w, model%nx - first + 1))
         end do
      end do
   end subroutine row_water

   !> Parameters of the lanes of a row, with the ice of the member at work.
   subroutine load_lanes(model, source, k, j, loaded, now, slowed)
      type(flow_model_type), intent(in) :: model
      integer, intent(in) :: source(w)   !! x of each lane
      integer, intent(in) :: k, j
      integer, intent(inout) :: loaded   !! see load_if_new
      type(class_parameters_type), intent(inout) :: now
      real(rk), intent(inout) :: slowed(w) !! factor of ice on the conductivity [1]
      real(rk) :: ice(w)
      ice = 0.0_rk
      if (model%has_ice) ice = model%ice(source, k, j)
      call load_if_new(model%soil, model%class(source, k, j), model%has_ice, ice, loaded, now, slowed)
   end subroutine load_lanes

   !> Heads of the cells of a member whose liquid is to be another; all ranks together.
   subroutine follow_water(model, member, water)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: member                                       !! from 1 [1]
      real(rk), intent(in) :: water(model%nx, model%nz, model%ny)         !! liquid, within the open pores [m3 m-3]
      real(rk), allocatable :: present(:, :, :)
      integer :: j
      allocate (present(model%nx, model%nz, model%ny))
      call liquid_water(model, member, present)
      !$omp parallel do schedule(static)
      do j = 1, model%ny
         call invert_row(model, j, abs(water(:, :, j) - present(:, :, j)) > 0.0_rk, water(:, :, j))
      end do
      call take_heads(model, member)
   end subroutine follow_water

   !> Heads of one row where something has changed.
   subroutine invert_row(model, j, is_changed, water)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: j
      logical, intent(in) :: is_changed(model%nx, model%nz)
      real(rk), intent(in) :: water(model%nx, model%nz) !! [m3 m-3]
      type(class_parameters_type) :: now
      real(rk), dimension(w) :: head, found, slowed
      integer :: first, i, k, last, loaded, source(w)
      loaded = 0
      do k = 1, model%nz
         do first = 1, model%nx, w
            last = min(first + w - 1, model%nx)
            if (.not. any(is_changed(first:last, k))) cycle
            do i = 1, w
               source(i) = min(first + i - 1, model%nx)
            end do
            call load_lanes(model, source, k, j, loaded, now, slowed)
            head = model%head(source, k, j)
            call invert_lanes(model%soil, now, water(source, k), found)
            do i = 1, w
               if (water(source(i), k) >= now%porosity(i) - full) found(i) = max(head(i), -now%entry(i))
               if (.not. is_changed(source(i), k)) found(i) = head(i)
            end do
            model%head(first:last, k, j) = found(:last - first + 1)
         end do
      end do
   end subroutine invert_row

   !> Heads of the member at work become those of its state.
   subroutine take_heads(model, member)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: member !! from 1 [1]
      call exchange_halo(model%exchange, model%nx, model%nz, model%ny, model%head)
      model%heads(:, :, :, member) = model%head
      model%is_evaluated = .false.
   end subroutine take_heads

   !> Give a member other ice: liquid becomes ice or ice liquid, and heads follow; all ranks together.
   !>
   !> `surplus` is the water that the cells should have and their heads do not give (compression changes with the head);
   !> who moves water next puts it in as a source.
   subroutine follow_ice(model, member, ice, surplus)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: member                                 !! from 1 [1]
      real(rk), intent(in) :: ice(model%nx, model%nz, model%ny)     !! as volume of liquid water [m3 m-3]
      real(rk), intent(out) :: surplus(model%nx, model%nz, model%ny) !! as depth on the column [m]
      real(rk), allocatable :: water(:, :, :), growth(:, :, :)
      integer :: j, k
      allocate (water(model%nx, model%nz, model%ny), growth(model%nx, model%nz, model%ny))
      call liquid_water(model, member, water)
      growth = ice - model%ice(1:model%nx, :, 1:model%ny)
      do j = 1, model%ny
         do k = 1, model%nz
            surplus(:, k, j) = model%dz(k)*(model%storage(1:model%nx, k, j) - growth(:, k, j))
         end do
      end do
      model%ice(1:model%nx, :, 1:model%ny) = ice
      call exchange_halo(model%exchange, model%nx, model%nz, model%ny, model%ice)
      model%ices(:, :, :, member) = model%ice
      !$omp parallel do schedule(static)
      do j = 1, model%ny
         call invert_row(model, j, abs(growth(:, :, j)) > 0.0_rk, water(:, :, j) - growth(:, :, j))
      end do
      call take_heads(model, member)
      call load_member(model, member)
      call evaluate(model)
      do j = 1, model%ny
         do k = 1, model%nz
            surplus(:, k, j) = merge(surplus(:, k, j) - model%dz(k)*model%storage(1:model%nx, k, j), 0.0_rk, &
                                     abs(growth(:, k, j)) > 0.0_rk)
         end do
      end do
   end subroutine follow_ice

end module pl_flow_water
